#include <stdio.h>
#include <stdlib.h>

enum { STEPS = 50 };

int main(int argc, char **argv) {
  int n = atoi(argv[1]);
  int inside = 0;
  long steps = 0;
  for (int row = 0; row < n; row++) {
    double ci = 2.0 * row / n - 1.0;
    for (int column = 0; column < n; column++) {
      double cr = 2.0 * column / n - 1.5;
      double zr = 0.0, zi = 0.0, squaredR = 0.0, squaredI = 0.0;
      int i = 0;
      while (i < STEPS && squaredR + squaredI <= 4.0) {
        zi = 2.0 * zr * zi + ci;
        zr = squaredR - squaredI + cr;
        squaredR = zr * zr;
        squaredI = zi * zi;
        i++;
      }
      if (squaredR + squaredI <= 4.0) inside++;
      steps += i;
    }
  }
  printf("%d %ld\n", inside, steps);
  return 0;
}
