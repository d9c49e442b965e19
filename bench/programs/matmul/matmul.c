#include <stdio.h>
#include <stdlib.h>

static double **matrix(int n, int seed) {
  double **rows = malloc(n * sizeof(double *));
  for (int i = 0; i < n; i++) {
    rows[i] = malloc(n * sizeof(double));
    for (int j = 0; j < n; j++) rows[i][j] = (double)((i * seed + j * 7) % 11) / 8.0;
  }
  return rows;
}

static void multiply(double **a, double **b, double **c, int n) {
  for (int i = 0; i < n; i++) {
    double *rowA = a[i];
    double *rowC = c[i];
    for (int j = 0; j < n; j++) {
      double sum = 0.0;
      for (int k = 0; k < n; k++) sum += rowA[k] * b[k][j];
      rowC[j] = sum;
    }
  }
}

int main(int argc, char **argv) {
  int n = atoi(argv[1]);
  double **c = matrix(n, 1);
  multiply(matrix(n, 3), matrix(n, 5), c, n);
  double trace = 0.0;
  for (int i = 0; i < n; i++) trace += c[i][i];
  printf("%ld\n", (long)(trace * 64.0));
  return 0;
}
