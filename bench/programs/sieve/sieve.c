#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum { LIMIT = 1000000 };

static int sieve(bool *composite) {
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

int main(int argc, char **argv) {
  int rounds = atoi(argv[1]);
  bool *composite = calloc(LIMIT, sizeof(bool));
  long sum = 0;
  for (int round = 0; round < rounds; round++) sum += sieve(composite);
  printf("%ld\n", sum);
  free(composite);
  return 0;
}
