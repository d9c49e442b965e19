/* What every generated file begins with: the types of the generated functions, and how they fail.

   A function gets the thread first.  When something fails it notes what and where in the thread and
   returns; its caller looks, notes its own place, and returns too.  Signed arithmetic wraps (-fwrapv),
   and nothing is contracted or known better than it is written (-ffp-contract=off, -fno-builtin). */

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An array or a string, with elements in memory that belongs to the host; or any other object, which
   has an identity here and nothing else.  nil is NULL. */
typedef struct {
  void *items;
  int64_t length;
} object;

/* An active function, by its number, and the line it is at. */
typedef struct {
  int32_t function;
  int32_t line;
} place;

enum { HALF = 128 };               /* places kept from each end of a long trace */
enum { PATIENCE = 1 << 20 };       /* rounds of loops between two looks at the host */

typedef struct {
  char *limit;                     /* the lowest address of a frame */
  int64_t stack;                   /* bytes of stack that may be used */
  int64_t patience;                /* rounds until the next look */
  int (*lock)(void);               /* how to look: PyGILState_Ensure, PyErr_CheckSignals, PyErr_Clear, */
  int (*check)(void);              /* PyGILState_Release */
  void (*clear)(void);
  void (*unlock)(int);
  int32_t trap;                    /* what failed, or 0 */
  int32_t depth;                   /* how many places there are in the trace */
  place places[2 * HALF];          /* the innermost ones, and the outermost ones in turn */
} thread;

/* An argument or a result on its way from or to the host. */
typedef union {
  bool as_bool;
  uint8_t as_byte;
  uint32_t as_char;
  int32_t as_int;
  int64_t as_long;
  float as_float;
  double as_double;
  object *as_ref;
} value;

#define unlikely(condition) __builtin_expect(!!(condition), 0)

/* A function has failed at a line, or called one that has. */
static void note_place(thread *t, int32_t function, int32_t line) {
  int32_t index = t->depth < HALF ? t->depth : HALF + t->depth % HALF;
  t->places[index] = (place){function, line};
  t->depth++;
}

static void fail(thread *t, int32_t trap, int32_t function, int32_t line) {
  t->trap = trap;
  note_place(t, function, line);
}

/* Once in many rounds: has somebody pressed Ctrl-C? */
static bool interrupted(thread *t) {
  t->patience = PATIENCE;
  int state = t->lock();
  bool found = t->check() != 0;
  if (found) t->clear();
  t->unlock(state);
  return found;
}

/* Whether there is no room for a frame of so many bytes. */
static bool is_too_deep(thread *t, int64_t bytes) {
  return (char *)__builtin_frame_address(0) - t->limit < bytes;
}

/* Arithmetic that C leaves open. */

static int32_t divide_int(int32_t a, int32_t b) { return b == -1 ? -a : a / b; }
static int64_t divide_long(int64_t a, int64_t b) { return b == -1 ? -a : a / b; }
static int32_t remainder_int(int32_t a, int32_t b) { return b == -1 ? 0 : a % b; }
static int64_t remainder_long(int64_t a, int64_t b) { return b == -1 ? 0 : a % b; }

static int32_t truncate_int(double x) {
  return x > -2147483649.0 && x < 2147483648.0 ? (int32_t)x : INT32_MIN;
}

static int64_t truncate_long(double x) {
  return x >= -9223372036854775808.0 && x < 9223372036854775808.0 ? (int64_t)x : INT64_MIN;
}

/* All NaNs have the same bits. */
static int64_t double_bits(double x) {
  int64_t bits;
  __builtin_memcpy(&bits, &x, 8);
  return x != x ? 0x7ff8000000000000 : bits;
}
static double double_from_bits(int64_t bits) { double x; __builtin_memcpy(&x, &bits, 8); return x; }
static int32_t float_bits(float x) {
  int32_t bits;
  __builtin_memcpy(&bits, &x, 4);
  return x != x ? 0x7fc00000 : bits;
}
static float float_from_bits(int32_t bits) { float x; __builtin_memcpy(&x, &bits, 4); return x; }
