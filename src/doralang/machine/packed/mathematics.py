"""Mathematical functions of doubles as packed operations with fused products.

Each is within 2 ulp of the exact value (measured: docs/arrays.md), and gives what the C library gives for
zeros, infinities and NaN.  What would need much code for few arguments is *hard*: such lanes are computed by
the C library.  The sources of the methods:

    Cody, Waite: Software Manual for the Elementary Functions, 1980        arguments are reduced by parts
    Tang: Table-Driven Implementation of the Exponential Function, ACM TOMS 15, 1989        2^n is put on last
    Sun Microsystems: fdlibm, 1993                  log, cos, tan, asin, acos: forms and minimax coefficients
    Remez: Sur la détermination des polynômes d'approximation de degré donnée, 1934                    sin
    Moshier: Cephes Mathematical Library, 1984-2000                                                 atan
    Dekker (`lanes.py`): numbers in two parts                                                          pow
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doralang.machine.packed.lanes import Lanes, Pair, exact_sum, polynomial, product, quick_sum, quotient
from doralang.machine.packed.primitives import NotPacked, Packer, Term
from doralang.types.kinds import BOOL, DOUBLE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

INFINITY: Final = float("inf")
MAGIC: Final = 1.5 * 2.0**52
"""added to a number it leaves the nearest whole number in the lowest bits"""
EXPONENT_BITS: Final = 52
BIAS: Final = 1023
TINY: Final = 2.0**-1022
"""the least normal number"""


# Exponentials.

LOG2_E: Final = float.fromhex("0x1.71547652b82fep+0")
LN2_HIGH: Final = 6.93147180369123816490e-01
"""of 32 bits, so that products with exponents are exact"""
LN2_LOW: Final = 1.90821492927058770002e-10
EXP_TERMS: Final = tuple(
    1.0 / number
    for number in (6227020800, 479001600, 39916800, 3628800, 362880, 40320, 5040, 720, 120, 24, 6, 2)
)
"""1/13! to 1/2!: Taylor's series, whose rest is below 2^-57 up to half of ln 2"""
EXP_LOWEST: Final = -746.0
EXP_HIGHEST: Final = 710.0


def power_of_two(exponent: Lanes) -> Lanes:
    """2^n for a whole number n that is the exponent of a normal number."""
    word = (exponent + (MAGIC + BIAS)).as_word("vpsllvq", exponent.word(EXPONENT_BITS))
    return word


def reduced_exponent(x: Lanes, low: Lanes | None = None) -> tuple[Lanes, Lanes, Lanes]:
    """n and e^r - 1 - r, r, where x + low = n ln 2 + r."""
    n = (x * LOG2_E).whole()
    r = n.times_plus(-LN2_HIGH, x)
    r = n.times_plus(-LN2_LOW, r if low is None else r)
    if low is not None:
        r = r + low
    return n, polynomial(r, EXP_TERMS) * (r * r), r


def scaled(value: Lanes, n: Lanes) -> Lanes:
    """value * 2^n in two steps, the second of which may overflow, or round a subnormal result."""
    half = (n * 0.5).down()
    return value * power_of_two(half) * power_of_two(n - half)


def exp(x: Lanes) -> Lanes:
    n, rest, r = reduced_exponent(x.at_least(EXP_LOWEST).at_most(EXP_HIGHEST))
    return scaled((rest + r) + 1.0, n)


def expm1_pair(x: Lanes) -> Pair:
    """e^x - 1, for x up to 700: 2^n (e^r - 1) + (2^n - 1), whose second part is exact or alone."""
    x = x.at_least(-40.0)
    n = (x * LOG2_E).whole()
    first = n.times_plus(-LN2_HIGH, x)
    r = n.times_plus(-LN2_LOW, first)
    lost = n.times_plus(-LN2_LOW, first - r)
    rest = (polynomial(r, EXP_TERMS) * (r * r)) + lost.times_plus(r, lost)
    power = power_of_two(n)
    high, low = quick_sum(r, rest)
    total, lost = exact_sum(power - 1.0, power * high)
    return quick_sum(total, power.times_plus(low, lost))


def expm1(x: Lanes) -> Lanes:
    x.hard_if(x.is_("greater", 700.0))
    return expm1_pair(x)[0].chosen(x.is_("notEquals", 0.0), x)


def tanh(x: Lanes) -> Lanes:
    """-t / (t + 2) of t = e^(-2|x|) - 1."""
    t, low = expm1_pair(x.absolute() * -2.0)
    below, lost = quick_sum(x.lifted(2.0), t)
    high, low = quotient((t, low), (below, lost + low))
    return (high + low).absolute().with_bits(x.sign())


def sinh(x: Lanes) -> Lanes:
    """Half of t + t / (t + 1) of t = e^|x| - 1."""
    size = x.absolute()
    x.hard_if(size.is_("greater", 700.0))
    t, low = expm1_pair(size)
    below, lost = exact_sum(x.lifted(1.0), t)
    high, rest = quotient((t, low), (below, lost + low))
    total, lost = quick_sum(t, high)
    return ((total + (lost + (low + rest))) * 0.5).absolute().with_bits(x.sign())


def cosh(x: Lanes) -> Lanes:
    size = x.absolute()
    x.hard_if(size.is_("greater", 700.0))
    e = exp(size)
    return e.times_plus(0.5, x.lifted(0.5) / e)


# Logarithms.

LOG_TERMS: Final = (
    1.479819860511658591e-01,
    1.531383769920937332e-01,
    1.818357216161805012e-01,
    2.222219843214978396e-01,
    2.857142874366239149e-01,
    3.999999999940941908e-01,
    6.666666666666735130e-01,
)
"""fdlibm's Lg7 to Lg1"""
SQRT_HALF_BITS: Final = 0x3FE6_A09E_0000_0000
ONE_BITS: Final = 0x3FF0_0000_0000_0000
FRACTION: Final = (1 << EXPONENT_BITS) - 1
TWO_52: Final = 0x4330_0000_0000_0000
SUBNORMAL_SCALE: Final = 54
# What a logarithm to base e is multiplied by, and that of 2, whose products with exponents are exact: each in
# two parts.
NATURAL: Final = (1.0, 0.0, LN2_HIGH, LN2_LOW)
BINARY: Final = (LOG2_E, float.fromhex("0x1.777d0ffda0d24p-56"), 1.0, 0.0)
DECIMAL: Final = (
    float.fromhex("0x1.bcb7b1526e50ep-2"),
    float.fromhex("0x1.95355baaafad3p-57"),
    float.fromhex("0x1.3441350a00000p-2"),
    float.fromhex("-0x1.0c0219dc1da99p-39"),
)
Base = tuple[float, float, float, float]


def parts_of(x: Lanes) -> Pair:
    """k and m, where x = 2^k m and m is from sqrt(1/2) to sqrt(2)."""
    word = x.as_word("vpaddq", x.word(ONE_BITS - SQRT_HALF_BITS))
    biased = word.as_word("vpsrlvq", x.word(EXPONENT_BITS)).as_word("vpor", x.word(TWO_52))
    k = Lanes(x.packer, Term(biased.term.value, DOUBLE, 8)) - (2.0**EXPONENT_BITS + BIAS)
    m = word.as_word("vpand", x.word(FRACTION)).as_word("vpaddq", x.word(SQRT_HALF_BITS))
    return k, Lanes(x.packer, Term(m.term.value, DOUBLE, 8))


def log_near_one(f: Lanes) -> Pair:
    """log(1 + f) = f - f²/2 + s (f²/2 + R) with s = f / (2 + f) and R a polynomial of s²."""
    s = f / (f + 2.0)
    z = s * s
    half = f * 0.5
    square, lost = product(half, f)
    rest = s * (square + polynomial(z, LOG_TERMS) * z)
    high, low = quick_sum(f, -square)
    return high, (rest - lost) + low


def logarithm(x: Lanes, base: Base) -> Lanes:
    factor, factor_low, of_two, of_two_low = base
    is_tiny = x.is_("less", TINY)
    larger = (x * 2.0**SUBNORMAL_SCALE).chosen(is_tiny, x)
    k, m = parts_of(larger)
    k = k - x.lifted(float(SUBNORMAL_SCALE)).chosen(is_tiny, 0.0)
    high, low = log_near_one(m - 1.0)
    if factor != 1.0:
        low = low.times_plus(factor, high * factor_low)
        high, lost = product(high, factor)
        low = low + lost
    first = k * of_two if of_two != 1.0 else k
    total, lost = exact_sum(first, high)
    result = total + (lost + (k.times_plus(of_two_low, low) if of_two_low else low))
    result = result.chosen(x.is_("less", INFINITY), x)
    result = result.chosen(x.is_("greater", 0.0), float("nan"))
    return x.lifted(-INFINITY).chosen(x.is_("equals", 0.0), result)


def log(x: Lanes) -> Lanes:
    return logarithm(x, NATURAL)


def log2(x: Lanes) -> Lanes:
    return logarithm(x, BINARY)


def log10(x: Lanes) -> Lanes:
    return logarithm(x, DECIMAL)


def log1p(x: Lanes) -> Lanes:
    """log(1 + x): what rounding 1 + x loses is put on, relative to it."""
    x.hard_if(x.packer.either(x.is_("lessEquals", -1.0), x.is_("greater", 2.0**53)))
    total, lost = exact_sum(x.lifted(1.0), x)
    k, m = parts_of(total)
    high, low = log_near_one(m - 1.0)
    first, more = exact_sum(k * LN2_HIGH, high)
    result = first + (more + (k.times_plus(LN2_LOW, low) + lost / total))
    return result.chosen(x.is_("notEquals", 0.0), x)


# Trigonometry.

TWO_OVER_PI: Final = float.fromhex("0x1.45f306dc9c883p-1")
ONE_OVER_PI: Final = TWO_OVER_PI / 2
HALF_PI: Final = (
    float.fromhex("0x1.921fb54442d18p+0"),
    float.fromhex("0x1.1a62633145c07p-54"),
    float.fromhex("-0x1.f1976b7ed8fbcp-110"),
)
FARTHEST: Final = 2.0**27
"""up to here three parts of pi/2 are enough"""
SIN_TERMS: Final = (
    1.58969099521155010221e-10,
    -2.50507602534068634195e-08,
    2.75573137070700676789e-06,
    -1.98412698298579493134e-04,
    8.33333333332248946124e-03,
    -1.66666666666666324348e-01,
)
"""fdlibm's S6 to S1"""
WHOLE_SIN_TERMS: Final = (
    float.fromhex("0x1.88327295fd91bp-49"),
    float.fromhex("-0x1.ae4382e2c137dp-41"),
    float.fromhex("0x1.6123cd02cb39cp-33"),
    float.fromhex("-0x1.ae6454d46818ap-26"),
    float.fromhex("0x1.71de3a52a0a14p-19"),
    float.fromhex("-0x1.a01a01a014d6ep-13"),
    float.fromhex("0x1.11111111110c8p-7"),
    float.fromhex("-0x1.5555555555555p-3"),
)
"""of sin(r) / r in r², behind 1, up to pi/2: minimax with a relative error of 2^-61 (Remez), each coefficient
rounded before those behind it were fitted"""
COS_TERMS: Final = (
    -1.13596475577881948265e-11,
    2.08757232129817482790e-09,
    -2.75573143513906633035e-07,
    2.48015872894767294178e-05,
    -1.38888888888741095749e-03,
    4.16666666666666019037e-02,
)
"""fdlibm's C6 to C1"""


def reduced_angle(x: Lanes) -> tuple[Lanes, Lanes, Lanes]:
    """n in the lowest bits of a word, and r in two parts: x = n pi/2 + r.

    What the first part of pi/2 leaves is exact.  The difference with the second one is exact, too, where both
    are alike, and otherwise loses nothing that counts.
    """
    x.hard_if(x.absolute().is_("greater", FARTHEST))
    word = x.times_plus(TWO_OVER_PI, MAGIC)
    n = word - MAGIC
    first = n.times_plus(-HALF_PI[0], x)
    second, lost = product(n, -HALF_PI[1])
    r, more = quick_sum(first, second)
    return word, r, n.times_plus(-HALF_PI[2], more + lost)


def sin_near(r: Lanes, low: Lanes) -> Pair:
    z = r * r
    return r, (z * r).times_plus(polynomial(z, SIN_TERMS), low)


def cos_near(r: Lanes, low: Lanes) -> Pair:
    z = r * r
    half = z * 0.5
    w = r.lifted(1.0) - half
    lost = (r.lifted(1.0) - w) - half
    return w, (z * z).times_plus(polynomial(z, COS_TERMS), lost) - r * low


def shifted(word: Lanes, bits: int) -> Lanes:
    found = word.as_word("vpsllvq", word.word(bits))
    return Lanes(word.packer, Term(found.term.value, DOUBLE, 8))


def odd(word: Lanes) -> Term:
    """Whether the lowest bit is set."""
    return word.packer.signs(shifted(word, 63).term)


def together(pair: Pair) -> Lanes:
    return pair[0] + pair[1]


def sin(x: Lanes) -> Lanes:
    """(-1)^n sin(r), where x = n pi + r: one polynomial, instead of one of two.

    The first part of pi leaves an exact rest.  Roundings of the second one count where the rest is small, and
    are relative to it.
    """
    x.hard_if(x.absolute().is_("greater", FARTHEST))
    word = x.times_plus(ONE_OVER_PI, MAGIC)
    n, r = word - MAGIC, x
    for part in HALF_PI:
        r = n.times_plus(-2.0 * part, r)
    z = r * r
    *others, last = WHOLE_SIN_TERMS
    rest = z.times_plus(last, (z * z) * polynomial(z, others))
    found = r.times_plus(rest, r).at_most(1.0).at_least(-1.0)
    return found.flipped(shifted(word, 63)).chosen(x.is_("notEquals", 0.0), x)


def cos(x: Lanes) -> Lanes:
    word, r, low = reduced_angle(x)
    found = together(sin_near(r, low)).chosen(odd(word), together(cos_near(r, low)))
    next_one = word.as_word("vpaddq", x.word(1))
    return found.flipped(shifted(next_one, 62).sign())


def tan(x: Lanes) -> Lanes:
    word, r, low = reduced_angle(x)
    sine, cosine, turned = quick_sum(*sin_near(r, low)), quick_sum(*cos_near(r, low)), odd(word)
    upper = cosine[0].chosen(turned, sine[0]), cosine[1].chosen(turned, sine[1])
    lower = sine[0].chosen(turned, cosine[0]), sine[1].chosen(turned, cosine[1])
    found = together(quotient(upper, lower)).flipped(shifted(word, 63))
    return found.chosen(x.is_("notEquals", 0.0), x)


# Inverse functions.

ATAN_ABOVE: Final = (
    -8.750608600031904122785e-1,
    -1.615753718733365076637e1,
    -7.500855792314704667340e1,
    -1.228866684490136173410e2,
    -6.485021904942025371773e1,
)
ATAN_BELOW: Final = (
    1.0,
    2.485846490142306297962e1,
    1.650270098316988542046e2,
    4.328810604912902668951e2,
    4.853903996359136964868e2,
    1.945506571482613964425e2,
)
TAN_3_PI_8: Final = 2.41421356237309504880
NEAR: Final = 0.66
ASIN_ABOVE: Final = (
    3.47933107596021167570e-05,
    7.91534994289814532176e-04,
    -4.00555345006794114027e-02,
    2.01212532134862925881e-01,
    -3.25565818622400915405e-01,
    1.66666666666666657415e-01,
)
"""fdlibm's pS5 to pS0"""
ASIN_BELOW: Final = (
    7.70381505559019352791e-02,
    -6.88283971605453293030e-01,
    2.02094576023350569471e00,
    -2.40339491173441421878e00,
    1.0,
)
"""fdlibm's qS4 to qS1, and 1"""


def atan_of(above: Lanes, below: Lanes) -> Lanes:
    """atan of a quotient of positive numbers: turned by pi/4 or pi/2 where it is large."""
    is_far = above.is_("greater", below * TAN_3_PI_8)
    is_middle = above.is_("greater", below * NEAR)
    upper = (-below).chosen(is_far, (above - below).chosen(is_middle, above))
    lower = above.chosen(is_far, (above + below).chosen(is_middle, below))
    q = upper / lower
    z = q * q
    rest = q * (z * polynomial(z, ATAN_ABOVE) / polynomial(z, ATAN_BELOW))
    turn = above.lifted(HALF_PI[0]).chosen(is_far, above.lifted(HALF_PI[0] / 2).chosen(is_middle, 0.0))
    more = above.lifted(HALF_PI[1]).chosen(is_far, above.lifted(HALF_PI[1] / 2).chosen(is_middle, 0.0))
    high, low = quick_sum(turn.chosen(is_middle, q), q.chosen(is_middle, 0.0))
    return high + (low + (rest + more))


def atan(x: Lanes) -> Lanes:
    size = x.absolute().at_most(2.0**70)
    return atan_of(size, x.lifted(1.0)).absolute().with_bits(x.sign())


def rational(z: Lanes) -> Lanes:
    """(asin(x) / x - 1) of z = x²"""
    return z * polynomial(z, ASIN_ABOVE) / polynomial(z, ASIN_BELOW)


def half_angle(size: Lanes) -> tuple[Lanes, Lanes, Lanes]:
    """asin(sqrt((1 - |x|) / 2)) as a square root in two parts, and the rest."""
    z = (size.lifted(1.0) - size) * 0.5
    root = z.square_root()
    lost = root.times_plus(-root, z) / (root + root)
    lost = lost.chosen(z.is_("greater", 0.0), 0.0)
    return root, lost, root * rational(z)


def asin(x: Lanes) -> Lanes:
    size = x.absolute()
    near = size.times_plus(rational(size * size), size)
    root, lost, rest = half_angle(size)
    high, low = quick_sum(x.lifted(HALF_PI[0]), root * -2.0)
    far = high + (low + ((lost + rest).times_plus(-2.0, HALF_PI[1])))
    result = near.chosen(size.is_("less", 0.5), far)
    return result.absolute().with_bits(x.sign()).chosen(size.is_("lessEquals", 1.0), no_number(x))


def acos(x: Lanes) -> Lanes:
    size = x.absolute()
    near_rest = x * rational(x * x)
    high, low = exact_sum(x.lifted(HALF_PI[0]), -x)
    near = high + (low + (x.lifted(HALF_PI[1]) - near_rest))
    root, lost, rest = half_angle(size)
    far = (root + (lost + rest)) * 2.0
    turned, more = quick_sum(x.lifted(2.0 * HALF_PI[0]), root * -2.0)
    behind = turned + (more + ((lost + rest).times_plus(-2.0, 2.0 * HALF_PI[1])))
    result = near.chosen(size.is_("less", 0.5), behind.chosen(x.is_("less", 0.0), far))
    return result.chosen(size.is_("lessEquals", 1.0), no_number(x))


def no_number(x: Lanes) -> Lanes:
    return x.lifted(float("nan"))


# Powers and roots.

LARGEST_CUBE: Final = 2.0**1000
LEAST_CUBE: Final = 2.0**-1000
CUBE_SCALE: Final = 2.0**100
"""what roots of larger and smaller numbers are multiplied and divided by"""
CBRT_BIAS: Final = 715094163.0
"""two thirds of the bias, less what makes the first guess best (fdlibm), in units of 2^32 of the bits"""
CBRT_GUESS: Final = (
    0.145996192886612446982,
    -0.758397934778766047437,
    1.621429720105354466140,
    -1.88497979543377169875,
    1.87595182427177009643,
)
"""FreeBSD's P4 to P0"""


def cbrt(x: Lanes) -> Lanes:
    """A third of the bits is within 5 % of the root; a polynomial of guess³ / x brings 23 bits (FreeBSD's
    s_cbrt.c), a step of Halley's method with a fused residue the rest."""
    size = x.absolute()
    there = x.packer.both(size.is_("greater", 0.0), size.is_("less", INFINITY))
    is_large, is_small = size.is_("greater", LARGEST_CUBE), size.is_("less", LEAST_CUBE)
    size = (size * CUBE_SCALE**-3).chosen(is_large, (size * CUBE_SCALE**3).chosen(is_small, size))
    back = x.lifted(CUBE_SCALE).chosen(is_large, x.lifted(1.0 / CUBE_SCALE).chosen(is_small, 1.0))
    upper = size.as_word("vpsrlvq", x.word(32)).as_word("vpor", x.word(TWO_52))
    third = (Lanes(x.packer, Term(upper.term.value, DOUBLE, 8)) - 2.0**EXPONENT_BITS) * (1.0 / 3.0)
    third = (third + CBRT_BIAS).down()
    word = (third + 2.0**EXPONENT_BITS).as_word("vpsllvq", x.word(32))
    guess = Lanes(x.packer, Term(word.term.value, DOUBLE, 8))
    r = (guess * guess) * (guess / size)
    t = guess * polynomial(r, CBRT_GUESS)
    square, lost = product(t, t)
    residue = square.times_plus(-t, size) - t * lost
    t = t.times_plus(residue / (square * t).times_plus(2.0, size), t)
    return (t * back).with_bits(x.sign()).chosen(there, x)


ATANH_TERMS: Final = tuple(1.0 / number for number in range(27, 3, -2))
"""of the series of artanh(s) / s behind 1 + s²/3, in s²"""
THIRD: Final = (float.fromhex("0x1.5555555555555p-2"), float.fromhex("0x1.5555555555555p-56"))
MOST_OF_LOG: Final = 700.0


def long_log(x: Lanes) -> Pair:
    """The logarithm of a normal number to some 2^-66: 2 artanh(s) + k ln 2, s = (m - 1) / (m + 1)."""
    k, m = parts_of(x)
    f = m - 1.0
    below, below_low = quick_sum(x.lifted(2.0), f)
    s = f / below
    s_low = (s.times_plus(-below, f) - s * below_low) / below
    z, z_lost = product(s, s)
    z_low = z_lost + (s + s) * s_low
    factor, factor_low = quick_sum(x.lifted(THIRD[0]), z * polynomial(z, ATANH_TERMS))
    factor_low = factor_low + THIRD[1]
    v, v_lost = product(s, z)
    v_low = v_lost + s.times_plus(z_low, s_low * z)
    w, w_lost = product(v, factor)
    w_low = w_lost + v.times_plus(factor_low, v_low * factor)
    high, low = quick_sum(s, w)
    low = (low + (s_low + w_low)) * 2.0
    total, lost = exact_sum(k * LN2_HIGH, high * 2.0)
    return quick_sum(total, lost + k.times_plus(LN2_LOW, low))


def pow(x: Lanes, y: Lanes) -> Lanes:
    """e^(y log x) where x is positive and normal and the result, too; all else is hard."""
    high, low = long_log(x)
    p, lost = product(y, high)
    p_low = y.times_plus(low, lost)
    is_usual = x.packer.both(x.is_("greaterEquals", TINY), x.is_("less", INFINITY))
    is_usual = x.packer.both(is_usual, p.absolute().is_("less", MOST_OF_LOG))
    x.hard_if(x.packer.opposite(is_usual))
    n, rest, r = reduced_exponent(p, p_low)
    return ((rest + r) + 1.0) * power_of_two(n)


LARGEST_SQUARE: Final = 2.0**510
LEAST_SQUARE: Final = 2.0**-480


def hypot(x: Lanes, y: Lanes) -> Lanes:
    """The root of the sum of squares where these neither overflow nor lose bits."""
    x, y = x.absolute(), y.absolute()
    larger = x.chosen(x.is_("greater", y), y)
    either, both = x.packer.either, x.packer.both
    is_usual = both(x.is_("less", LARGEST_SQUARE), y.is_("less", LARGEST_SQUARE))
    is_usual = both(is_usual, either(larger.is_("greater", LEAST_SQUARE), larger.is_("equals", 0.0)))
    x.hard_if(x.packer.opposite(is_usual))
    return x.times_plus(x, y * y).square_root()


def atan2(y: Lanes, x: Lanes) -> Lanes:
    """The angle of the quotient in the first quadrant, turned; zeros and extremes are hard."""
    above, below = y.absolute(), x.absolute()
    is_usual = x.packer.constant(True, BOOL)
    for size in (above, below):
        inside = x.packer.both(size.is_("greater", LEAST_SQUARE), size.is_("less", LARGEST_SQUARE))
        is_usual = x.packer.both(is_usual, inside)
    x.hard_if(x.packer.opposite(is_usual))
    angle = atan_of(above, below)
    turned = (x.lifted(2.0 * HALF_PI[0]) - angle) + 2.0 * HALF_PI[1]
    return turned.chosen(x.is_("less", 0.0), angle).with_bits(y.sign())


FUNCTIONS: Final[dict[str, Callable[[Lanes], Lanes]]] = {
    "exp": exp,
    "expm1": expm1,
    "log": log,
    "log2": log2,
    "log10": log10,
    "log1p": log1p,
    "sin": sin,
    "cos": cos,
    "tan": tan,
    "sinh": sinh,
    "cosh": cosh,
    "tanh": tanh,
    "asin": asin,
    "acos": acos,
    "atan": atan,
    "cbrt": cbrt,
}
"""of one number"""
FUNCTIONS_OF_TWO: Final[dict[str, Callable[[Lanes, Lanes], Lanes]]] = {
    "pow": pow,
    "hypot": hypot,
    "atan2": atan2,
}


SQUARE: Final = 2.0
"""an exponent that is put in as a product, which is rounded rightly"""


class FastFunctions:
    """Makes packed functions; `address` has those of the C library, for hard lanes."""

    def __init__(self, address: Callable[[str], int]) -> None:
        self.address = address

    def __call__(self, packer: Packer, name: str, terms: Sequence[Term]) -> Term:
        """The value of a function.  Raises NotPacked."""
        lanes = [Lanes(packer, term) for term in terms]
        if name == "pow" and terms[1] == packer.constant(SQUARE, DOUBLE):
            return (lanes[0] * lanes[0]).term
        if name in FUNCTIONS:
            term = FUNCTIONS[name](*lanes).term
        elif name in FUNCTIONS_OF_TWO:
            term = FUNCTIONS_OF_TWO[name](*lanes).term
        else:
            raise NotPacked(name)
        return packer.corrected(term, terms, self.address(name))
