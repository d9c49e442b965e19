import math
import sys


def element(i, j):
    return 1.0 / ((i + j) * (i + j + 1) // 2 + i + 1)


def times(v, product):
    for i in range(len(v)):
        total = 0.0
        for j in range(len(v)):
            total += element(i, j) * v[j]
        product[i] = total


def transposed_times(v, product):
    for i in range(len(v)):
        total = 0.0
        for j in range(len(v)):
            total += element(j, i) * v[j]
        product[i] = total


def dot(a, b):
    total = 0.0
    for i in range(len(a)):
        total += a[i] * b[i]
    return total


n = int(sys.argv[1])
u = [1.0] * n
v = [0.0] * n
between = [0.0] * n
for _ in range(10):
    times(u, between)
    transposed_times(between, v)
    times(v, between)
    transposed_times(between, u)
print(f"{math.sqrt(dot(u, v) / dot(v, v)):.9f}")
