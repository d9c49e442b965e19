import sys


def matrix(n, seed):
    return [[((i * seed + j * 7) % 11) / 8.0 for j in range(n)] for i in range(n)]


def multiply(a, b, c, n):
    for i in range(n):
        row_a = a[i]
        row_c = c[i]
        for j in range(n):
            total = 0.0
            for k in range(n):
                total += row_a[k] * b[k][j]
            row_c[j] = total


n = int(sys.argv[1])
c = matrix(n, 1)
multiply(matrix(n, 3), matrix(n, 5), c, n)
trace = 0.0
for i in range(n):
    trace += c[i][i]
print(int(trace * 64.0))
