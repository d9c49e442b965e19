class Main {
  static final int LIMIT = 1_000_000;

  static int sieve(boolean[] composite) {
    int count = 0;
    for (int i = 0; i < LIMIT; i++) composite[i] = false;
    for (int i = 2; i < LIMIT; i++) {
      if (!composite[i]) {
        count++;
        for (int k = i + i; k < LIMIT; k += i) composite[k] = true;
      }
    }
    return count;
  }

  public static void main(String[] arguments) {
    int rounds = Integer.parseInt(arguments[0]);
    boolean[] composite = new boolean[LIMIT];
    long sum = 0;
    for (int round = 0; round < rounds; round++) sum += sieve(composite);
    System.out.println(sum);
  }
}
