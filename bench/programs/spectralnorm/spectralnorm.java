class Main {
  static double element(int i, int j) {
    return 1.0 / ((i + j) * (i + j + 1) / 2 + i + 1);
  }

  static void times(double[] v, double[] product) {
    for (int i = 0; i < v.length; i++) {
      double sum = 0.0;
      for (int j = 0; j < v.length; j++) sum += element(i, j) * v[j];
      product[i] = sum;
    }
  }

  static void transposedTimes(double[] v, double[] product) {
    for (int i = 0; i < v.length; i++) {
      double sum = 0.0;
      for (int j = 0; j < v.length; j++) sum += element(j, i) * v[j];
      product[i] = sum;
    }
  }

  static double dot(double[] a, double[] b) {
    double sum = 0.0;
    for (int i = 0; i < a.length; i++) sum += a[i] * b[i];
    return sum;
  }

  public static void main(String[] arguments) {
    int n = Integer.parseInt(arguments[0]);
    double[] u = new double[n];
    double[] v = new double[n];
    double[] between = new double[n];
    java.util.Arrays.fill(u, 1.0);
    for (int round = 0; round < 10; round++) {
      times(u, between);
      transposedTimes(between, v);
      times(v, between);
      transposedTimes(between, u);
    }
    System.out.printf("%.9f\n", Math.sqrt(dot(u, v) / dot(v, v)));
  }
}
