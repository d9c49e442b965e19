// Marking and copying as the collectors `sweep` and `copy` do them, on the tree of collect.dora.
// Prints the least milliseconds of five times each.  Compile with -O2 -fno-strict-aliasing.

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

typedef struct Shape { long size, element, *references; } Shape;
typedef struct Object { uintptr_t header; long words[]; } Object;

static long map[] = {2, 8, 16};
static Shape node = {32, 0, map};
static char *from, *to, *next, *end;
static uint64_t *marks;
static Object **stack, **top;
static long marked;

static void *reserve(size_t size) {
  return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

static Object *tree(int depth) {
  Object *left = depth ? tree(depth - 1) : NULL, *right = depth ? tree(depth - 1) : NULL;
  Object *made = (Object *)next;
  next += 32;
  made->header = (uintptr_t)&node;
  made->words[0] = (long)left;
  made->words[1] = (long)right;
  made->words[2] = depth;
  return made;
}

static long sizeOf(Object *object, Shape *shape) {
  if (!shape->element) return shape->size;
  return (shape->size + shape->element * object->words[0] + 7) & -8;
}

static double milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

// Marking.

static void mark(Object *object) {
  if ((char *)object < from || (char *)object >= end) return;
  uint64_t *word = marks + (((char *)object - from) >> 9), bit = 1ull << ((uintptr_t)object >> 3 & 63);
  if (*word & bit) return;
  *word |= bit;
  Shape *shape = (Shape *)object->header;
  marked += sizeOf(object, shape);
  if (shape->references) *top++ = object;
}

static void markAll(Object *root) {
  memset(marks, 0, ((end - from) >> 6) + 8);
  mark(root);
  while (top > stack) {
    Object *object = *--top;
    long *references = ((Shape *)object->header)->references;
    for (long i = 1; i <= references[0]; i++) mark(*(Object **)((char *)object + references[i]));
  }
}

// Copying.

static void redirect(Object **place) {
  Object *object = *place;
  if ((char *)object < from || (char *)object >= end) return;
  if (object->header & 1) {
    *place = (Object *)(object->header - 1);
    return;
  }
  long size = sizeOf(object, (Shape *)object->header);
  memcpy(next, object, size);
  *place = (Object *)next;
  object->header = (uintptr_t)next + 1;
  next += size;
}

static void copyAll(Object **root) {
  char *scan = next = to;
  redirect(root);
  while (scan < next) {
    Object *object = (Object *)scan;
    Shape *shape = (Shape *)object->header;
    for (long i = 1; i <= shape->references[0]; i++) redirect((Object **)(scan + shape->references[i]));
    scan += sizeOf(object, shape);
  }
  memset(from, 0, end - from);
  end = next;
  to = from;
  from = (char *)*root;
}

int main(int argc, char **argv) {
  int depth = atoi(argv[1]);
  size_t size = 32ul << (depth + 1);
  from = next = reserve(size);
  to = reserve(size);
  marks = reserve(size / 64 + 64);
  stack = top = reserve(size / 2);
  Object *root = tree(depth);
  end = next;
  double best[2] = {1e9, 1e9};
  for (int round = 0; round < 5; round++) {
    double start = milliseconds();
    markAll(root);
    double time = milliseconds() - start;
    if (time < best[0]) best[0] = time;
  }
  for (int round = 0; round < 5; round++) {
    double start = milliseconds();
    copyAll(&root);
    double time = milliseconds() - start;
    if (time < best[1]) best[1] = time;
  }
  printf("%.3f %.3f\n", best[0], best[1]);
  return 0;
}
