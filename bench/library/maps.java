// Maps of numbers and of texts: insert, find, remove.  They keep the order of insertion, as Dora's do.
import java.util.LinkedHashMap;
import java.util.Locale;

class Main {
  static long key(int i) { return i * -7046029254386353131L; }

  static void told(String what, long start, int n) {
    System.out.printf(Locale.ROOT, "%s %.2f%n", what, (System.nanoTime() - start) / (double) n);
  }

  static long numbers(int n) {
    LinkedHashMap<Long, Long> map = new LinkedHashMap<>();
    long start = System.nanoTime();
    for (int i = 0; i < n; i++) map.put(key(i), (long) i);
    told("long-insert", start, n);
    start = System.nanoTime();
    long sum = 0;
    for (int i = 0; i < n; i++) sum += map.get(key(i));
    told("long-find", start, n);
    start = System.nanoTime();
    for (int i = 0; i < n; i++) sum += map.remove(key(i));
    told("long-remove", start, n);
    return sum + map.size();
  }

  static long texts(int n) {
    String[] keys = new String[n];
    for (int i = 0; i < n; i++) keys[i] = "key" + key(i);
    LinkedHashMap<String, Integer> map = new LinkedHashMap<>();
    long start = System.nanoTime();
    for (int i = 0; i < n; i++) map.put(keys[i], i);
    told("text-insert", start, n);
    start = System.nanoTime();
    long sum = 0;
    for (int i = 0; i < n; i++) sum += map.get(keys[i]);
    told("text-find", start, n);
    start = System.nanoTime();
    for (int i = 0; i < n; i++) sum += map.remove(keys[i]);
    told("text-remove", start, n);
    return sum + map.size();
  }

  public static void main(String[] args) {
    int n = Integer.parseInt(args[0]);
    System.out.println("sum " + (numbers(n) + texts(n)));
  }
}
