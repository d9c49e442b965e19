class Main {
  static final int SHALLOWEST = 4;

  static class Tree {
    final Tree left, right;

    Tree(Tree left, Tree right) {
      this.left = left;
      this.right = right;
    }

    int count() {
      if (left == null) return 1;
      return 1 + left.count() + right.count();
    }
  }

  static Tree tree(int depth) {
    if (depth == 0) return new Tree(null, null);
    return new Tree(tree(depth - 1), tree(depth - 1));
  }

  public static void main(String[] arguments) {
    int deepest = Integer.parseInt(arguments[0]);
    System.out.println(tree(deepest + 1).count());
    Tree longLived = tree(deepest);
    for (int depth = SHALLOWEST; depth <= deepest; depth += 2) {
      int rounds = 1 << (deepest - depth + SHALLOWEST);
      int nodes = 0;
      for (int round = 0; round < rounds; round++) nodes += tree(depth).count();
      System.out.println(rounds + " " + depth + " " + nodes);
    }
    System.out.println(longLived.count());
  }
}
