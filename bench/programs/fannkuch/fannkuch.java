class Main {
  static int fannkuch(int n) {
    int[] perm = new int[n];
    int[] perm1 = new int[n];
    int[] count = new int[n];
    int maxFlips = 0;
    int checksum = 0;
    int permCount = 0;
    int r = n;
    for (int i = 0; i < n; i++) perm1[i] = i;
    while (true) {
      while (r != 1) {
        count[r - 1] = r;
        r--;
      }
      for (int i = 0; i < n; i++) perm[i] = perm1[i];
      int flips = 0;
      int k = perm[0];
      while (k != 0) {
        int k2 = (k + 1) >> 1;
        for (int i = 0; i < k2; i++) {
          int temp = perm[i];
          perm[i] = perm[k - i];
          perm[k - i] = temp;
        }
        flips++;
        k = perm[0];
      }
      if (flips > maxFlips) maxFlips = flips;
      if (permCount % 2 == 0) checksum += flips;
      else checksum -= flips;
      while (true) {
        if (r == n) {
          System.out.println(checksum);
          return maxFlips;
        }
        int perm0 = perm1[0];
        for (int i = 0; i < r; i++) perm1[i] = perm1[i + 1];
        perm1[r] = perm0;
        count[r]--;
        if (count[r] > 0) break;
        r++;
      }
      permCount++;
    }
  }

  public static void main(String[] arguments) {
    int n = Integer.parseInt(arguments[0]);
    int flips = fannkuch(n);
    System.out.println("Pfannkuchen(" + n + ") = " + flips);
  }
}
