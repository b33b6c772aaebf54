"""Results of decimal128 operations by rational numbers and intervals of MPFR (module gmpy2).

Shares nothing with Python's `decimal` but the operands. Both ends of an interval that contains the exact result
are rounded to decimal128 with integers; when they differ, the precision is doubled.
"""
try:
    import gmpy2
except ImportError:
    gmpy2 = None

AVAILABLE = gmpy2 is not None
DIGITS, EXPONENT_MIN, EXPONENT_MAX = 34, -6176, 6111
# Bits at which a value that cannot be told from a midpoint is one: of the aimed operands only exact powers.
BITS_MAX = 6000


def outcome(name, a, b):
    """The result as aimed.py writes it; None where there is no second opinion."""
    if not AVAILABLE or name == "whole-power":
        # `whole-power` is a sequence of roundings (specs/vtl.md, 2), not one function.
        return None
    if name in ("exp", "ln", "log", "power"):
        return function(name, a, b)
    if name == "sqrt":
        return "domain" if a < 0 else square_root(a)
    return exact(name, rational(a), rational(b), int(b) if name in ("round", "trunc") else 0)


def rational(value):
    sign, digits, exponent = value.as_tuple()
    whole = gmpy2.mpz("".join(map(str, digits))) * (-1 if sign else 1)
    return gmpy2.mpq(whole * 10 ** max(exponent, 0), gmpy2.mpz(10) ** max(-exponent, 0))


def floor_log10(value):
    """The exponent of the leading digit of a positive fraction."""
    # `num_digits` is exact or one too large.
    exponent = value.numerator.num_digits(10) - value.denominator.num_digits(10)
    while value < gmpy2.mpq(10) ** exponent:
        exponent -= 1
    while value >= gmpy2.mpq(10) ** (exponent + 1):
        exponent += 1
    return exponent


def rounded(value):
    """A fraction rounded once, half to even."""
    if value == 0:
        return "0,0"
    magnitude = abs(value)
    exponent = max(floor_log10(magnitude) - DIGITS + 1, EXPONENT_MIN)
    scaled = magnitude * 10 ** -exponent if exponent < 0 else magnitude / gmpy2.mpz(10) ** exponent
    whole, rest = gmpy2.f_divmod(scaled.numerator, scaled.denominator)
    twice = 2 * rest - scaled.denominator
    whole += twice > 0 or (twice == 0 and whole % 2 == 1)
    return written(int(whole), exponent, value < 0)


def written(whole, exponent, negative):
    if whole == 0:
        return "0,0"
    while whole % 10 == 0 and exponent < EXPONENT_MAX:
        whole, exponent = whole // 10, exponent + 1
    while exponent > EXPONENT_MAX:
        whole, exponent = whole * 10, exponent - 1
        if whole >= 10 ** DIGITS:
            return "overflow"
    if whole >= 10 ** DIGITS:
        return "overflow"
    return f"{'-' if negative else ''}{whole},{exponent}"


def exact(name, a, b, places):
    if name == "div":
        return "zero" if b == 0 else rounded(a / b)
    if name == "mod":
        return rounded(a) if b == 0 else rounded(remainder(a, b))
    if name in ("round", "trunc", "ceil", "floor"):
        unit = gmpy2.mpq(10) ** -places
        scaled = a / unit
        down, up = gmpy2.mpz(scaled // 1), gmpy2.mpz(-(-scaled // 1))
        magnitude = abs(scaled) + (gmpy2.mpq(1, 2) if name == "round" else 0)
        whole = {"ceil": up, "floor": down}.get(name, gmpy2.mpz(magnitude // 1) * (-1 if a < 0 else 1))
        return rounded(whole * unit)
    return rounded({"add": a + b, "sub": a - b, "mul": a * b}[name])


def remainder(a, b):
    """Exact; when the sign of the divisor must be taken, that is the one rounding."""
    return a - b * gmpy2.mpz(a / b // 1)


def square_root(value):
    value = rational(value)
    if value == 0:
        return "0,0"
    # 40 digits of the root, and a sign of what is beyond them: a tie has 35.
    shift = 40 - floor_log10(value) // 2
    scaled = value * gmpy2.mpq(100) ** shift
    whole = gmpy2.isqrt(gmpy2.mpz(scaled // 1))
    beyond = 0 if whole * whole == scaled else gmpy2.mpq(1, 2)
    return rounded((whole + beyond) / gmpy2.mpq(10) ** shift)


def function(name, a, b):
    if (name != "exp" and a < 0) or (name in ("ln", "log") and a == 0):
        return "domain"
    if name == "log" and (b <= 0 or b == 1):
        return "domain"
    if name == "power" and a == 0:
        return "zero" if b < 0 else "0,0"
    bits = 256
    while True:
        low, high = interval(name, str(a), str(b), bits)
        results = {end(low), end(high)}
        if len(results) == 1:
            return results.pop()
        if bits > BITS_MAX:
            return midpoint(low, high)
        bits *= 2


def interval(name, a, b, bits):
    """Two numbers of MPFR that enclose the exact result."""
    contexts = [gmpy2.context(precision=bits, round=mode, emin=gmpy2.get_emin_min(), emax=gmpy2.get_emax_max())
                for mode in (gmpy2.RoundDown, gmpy2.RoundUp)]
    ends = []
    for context in contexts:
        with context:
            ends.append((gmpy2.mpfr(a), gmpy2.mpfr(b)))
    (a_low, b_low), (a_high, b_high) = ends
    down, up = contexts
    if name == "exp":
        return down.exp(a_low), up.exp(a_high)
    if name == "ln":
        return down.log(a_low), up.log(a_high)
    if name == "power":
        corners = [(x, y) for x in (a_low, a_high) for y in (b_low, b_high)]
        return min(down.pow(x, y) for x, y in corners), max(up.pow(x, y) for x, y in corners)
    above, below = (down.log(a_low), up.log(a_high)), (down.log(b_low), up.log(b_high))
    if below[0] <= 0 <= below[1]:
        return gmpy2.mpfr("-inf"), gmpy2.mpfr("inf")
    corners = [(x, y) for x in above for y in below]
    return min(down.div(x, y) for x, y in corners), max(up.div(x, y) for x, y in corners)


def end(value):
    """An end of the interval, rounded; what is far beyond the range at its sign."""
    if gmpy2.is_infinite(value) or abs(value) > gmpy2.mpfr("1e7000"):
        return "overflow" if value > 0 else "-overflow"
    if abs(value) < gmpy2.mpfr("1e-7000"):
        return "0,0"
    return rounded(gmpy2.mpq(value))


def midpoint(low, high):
    """The one decimal number of 36 digits in the interval, rounded."""
    middle = (gmpy2.mpq(low) + gmpy2.mpq(high)) / 2
    unit = gmpy2.mpq(10) ** (floor_log10(abs(middle)) - DIGITS - 1)
    value = gmpy2.mpz((middle / unit + gmpy2.mpq(1, 2)) // 1) * unit
    assert low <= value <= high, "neither decided nor a midpoint"
    return rounded(value)
