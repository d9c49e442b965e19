// What every generated file begins with: the types of the generated functions, and how they fail.
//
// A function gets the thread first.  When something fails it notes what and where in the thread and
// returns; its caller looks, notes its own place, and returns too.  Each product stands in a conversion of its
// own, so that nothing is contracted; the functions of mathematics are those of the C library.

package main

/*
#cgo LDFLAGS: -lm
#include <math.h>

// Has somebody pressed Ctrl-C?
static int dora_interrupted(int (*lock)(void), int (*check)(void), void (*clear)(void), void (*unlock)(int)) {
  int state = lock();
  int found = check() != 0;
  if (found) clear();
  unlock(state);
  return found;
}

typedef int (*dora_lock)(void);
typedef void (*dora_clear)(void);
typedef void (*dora_unlock)(int);
*/
import "C"

import (
	"math"
	"math/bits"
	"unsafe"
)

func main() {}

// An array or a string, with elements in memory that belongs to the host; or any other object, which
// has an identity here and nothing else.
type object struct {
	items  unsafe.Pointer
	length int64
}

// An active function, by its number, and the line it is at.
type place struct {
	function int32
	line     int32
}

const half = 128          // places kept from each end of a long trace
const patience = 1 << 20  // rounds of loops between two looks at the host
const mostActive = 100000 // calls nested deeper, larger ones counting more, are a stack overflow

type thread struct {
	active   int64 // calls that have not returned, by the size of the frames
	stack    int64
	patience int64          // rounds until the next look
	lock     unsafe.Pointer // how to look
	check    unsafe.Pointer
	clear    unsafe.Pointer
	unlock   unsafe.Pointer
	trap     int32           // what failed, or 0
	depth    int32           // how many places there are in the trace
	places   [2 * half]place // the innermost ones, and the outermost ones in turn
}

// A function has failed at a line, or called one that has.
func notePlace(t *thread, function int32, line int32) {
	index := t.depth
	if index >= half {
		index = half + index%half
	}
	t.places[index] = place{function, line}
	t.depth++
}

func fail(t *thread, trap int32, function int32, line int32) {
	t.trap = trap
	notePlace(t, function, line)
}

// Once in many rounds: has somebody pressed Ctrl-C?
func interrupted(t *thread) bool {
	t.patience = patience
	return C.dora_interrupted(C.dora_lock(t.lock), C.dora_lock(t.check), C.dora_clear(t.clear), C.dora_unlock(t.unlock)) != 0
}

// The value of an argument or result, which stands in 8 bytes.
func slot(v unsafe.Pointer, index int) unsafe.Pointer {
	return unsafe.Add(v, 8*index)
}

// Arithmetic that Go leaves open or lacks.

func truncateInt(x float64) int32 {
	if x > -2147483649.0 && x < 2147483648.0 {
		return int32(x)
	}
	return math.MinInt32
}

func truncateLong(x float64) int64 {
	if x >= -9223372036854775808.0 && x < 9223372036854775808.0 {
		return int64(x)
	}
	return math.MinInt64
}

// All NaNs have the same bits.
func doubleBits(x float64) int64 {
	if x != x {
		return 0x7ff8000000000000
	}
	return int64(math.Float64bits(x))
}

func floatBits(x float32) int32 {
	if x != x {
		return 0x7fc00000
	}
	return int32(math.Float32bits(x))
}

func intOfBool(x bool) int32 {
	if x {
		return 1
	}
	return 0
}

func compareDouble(x float64, y float64) int32 {
	return intOfBool(x > y) - intOfBool(x < y)
}

func multiplyHigh(x int64, y int64) int64 {
	high, _ := bits.Mul64(uint64(x), uint64(y))
	return int64(high)
}
