// Sorting numbers, stably: by their own order, and by a function.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

static std::vector<int32_t> numbers(int n) {
  std::vector<int32_t> list(n);
  uint64_t state = (7 + 109ULL) * 6364136223846793005ULL + 109ULL;
  for (int i = 0; i < n; i++) {
    uint64_t old = state;
    state = old * 6364136223846793005ULL + 109ULL;
    uint32_t mixed = (uint32_t)(((old >> 18) ^ old) >> 27), turn = (uint32_t)(old >> 59);
    list[i] = (int32_t)((mixed >> turn) | (mixed << (-turn & 31)));
  }
  return list;
}

static long check(const std::vector<int32_t> &list) {
  long sum = 0;
  for (size_t i = 0; i < list.size(); i++) sum += (long)(list[i] >> 16) * (long)(i & 15);
  return sum;
}

template <class F> static void timed(const char *what, int n, F f) {
  auto start = std::chrono::steady_clock::now();
  f();
  std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
  std::printf("%s %.2f\n", what, took.count() / n);
}

int main(int argc, char **argv) {
  int n = argc > 1 ? std::atoi(argv[1]) : 1000;
  auto first = numbers(n), second = numbers(n);
  timed("sort", n, [&] { std::stable_sort(first.begin(), first.end()); });
  timed("sort-by", n, [&] {
    std::stable_sort(second.begin(), second.end(), [](int32_t a, int32_t b) { return (b >> 16) < (a >> 16); });
  });
  std::printf("sum %ld\n", check(first) + check(second));
}
