import sys

SHALLOWEST = 4


class Tree:
    __slots__ = ("left", "right")

    def __init__(self, left, right):
        self.left = left
        self.right = right

    def count(self):
        if self.left is None:
            return 1
        return 1 + self.left.count() + self.right.count()


def tree(depth):
    if depth == 0:
        return Tree(None, None)
    return Tree(tree(depth - 1), tree(depth - 1))


deepest = int(sys.argv[1])
print(tree(deepest + 1).count())
long_lived = tree(deepest)
for depth in range(SHALLOWEST, deepest + 1, 2):
    rounds = 1 << (deepest - depth + SHALLOWEST)
    nodes = 0
    for _ in range(rounds):
        nodes += tree(depth).count()
    print(rounds, depth, nodes)
print(long_lived.count())
