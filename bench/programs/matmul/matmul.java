class Main {
  static double[][] matrix(int n, int seed) {
    double[][] rows = new double[n][n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) rows[i][j] = (double) ((i * seed + j * 7) % 11) / 8.0;
    }
    return rows;
  }

  static void multiply(double[][] a, double[][] b, double[][] c, int n) {
    for (int i = 0; i < n; i++) {
      double[] rowA = a[i];
      double[] rowC = c[i];
      for (int j = 0; j < n; j++) {
        double sum = 0.0;
        for (int k = 0; k < n; k++) sum += rowA[k] * b[k][j];
        rowC[j] = sum;
      }
    }
  }

  public static void main(String[] arguments) {
    int n = Integer.parseInt(arguments[0]);
    double[][] c = matrix(n, 1);
    multiply(matrix(n, 3), matrix(n, 5), c, n);
    double trace = 0.0;
    for (int i = 0; i < n; i++) trace += c[i][i];
    System.out.println((long) (trace * 64.0));
  }
}
