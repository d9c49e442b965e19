import sys

LIMIT = 1_000_000


def sieve(composite):
    count = 0
    for i in range(LIMIT):
        composite[i] = False
    for i in range(2, LIMIT):
        if not composite[i]:
            count += 1
            for k in range(i + i, LIMIT, i):
                composite[k] = True
    return count


rounds = int(sys.argv[1])
flags = [False] * LIMIT
total = 0
for _ in range(rounds):
    total += sieve(flags)
print(total)
