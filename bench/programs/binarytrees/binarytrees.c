#include <stdio.h>
#include <stdlib.h>

enum { SHALLOWEST = 4 };

typedef struct Tree {
  struct Tree *left, *right;
} Tree;

static int count(Tree *tree) {
  if (!tree->left) return 1;
  return 1 + count(tree->left) + count(tree->right);
}

static Tree *newTree(int depth) {
  Tree *tree = malloc(sizeof(Tree));
  tree->left = depth == 0 ? NULL : newTree(depth - 1);
  tree->right = depth == 0 ? NULL : newTree(depth - 1);
  return tree;
}

static void freeTree(Tree *tree) {
  if (tree->left) {
    freeTree(tree->left);
    freeTree(tree->right);
  }
  free(tree);
}

static int countNew(int depth) {
  Tree *tree = newTree(depth);
  int nodes = count(tree);
  freeTree(tree);
  return nodes;
}

int main(int argc, char **argv) {
  int deepest = atoi(argv[1]);
  printf("%d\n", countNew(deepest + 1));
  Tree *longLived = newTree(deepest);
  for (int depth = SHALLOWEST; depth <= deepest; depth += 2) {
    int rounds = 1 << (deepest - depth + SHALLOWEST);
    int nodes = 0;
    for (int round = 0; round < rounds; round++) nodes += countNew(depth);
    printf("%d %d %d\n", rounds, depth, nodes);
  }
  printf("%d\n", count(longLived));
  freeTree(longLived);
  return 0;
}
