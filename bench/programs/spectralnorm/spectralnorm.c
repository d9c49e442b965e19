#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static double element(int i, int j) { return 1.0 / ((i + j) * (i + j + 1) / 2 + i + 1); }

static void times(int n, double *v, double *product) {
  for (int i = 0; i < n; i++) {
    double sum = 0.0;
    for (int j = 0; j < n; j++) sum += element(i, j) * v[j];
    product[i] = sum;
  }
}

static void transposedTimes(int n, double *v, double *product) {
  for (int i = 0; i < n; i++) {
    double sum = 0.0;
    for (int j = 0; j < n; j++) sum += element(j, i) * v[j];
    product[i] = sum;
  }
}

static double dot(int n, double *a, double *b) {
  double sum = 0.0;
  for (int i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

int main(int argc, char **argv) {
  int n = atoi(argv[1]);
  double *u = malloc(n * sizeof(double));
  double *v = malloc(n * sizeof(double));
  double *between = malloc(n * sizeof(double));
  for (int i = 0; i < n; i++) u[i] = 1.0;
  for (int round = 0; round < 10; round++) {
    times(n, u, between);
    transposedTimes(n, between, v);
    times(n, v, between);
    transposedTimes(n, between, u);
  }
  printf("%.9f\n", sqrt(dot(n, u, v) / dot(n, v, v)));
  return 0;
}
