#!/usr/bin/env python3
"""Writes operations of decimal128 whose results are aimed at the places where roundings go wrong.

    python3 specs/conformance/oracle/aimed.py SEED COUNT > operations.txt
    cargo run -p conformance --bin decimal-oracle -- operations.txt

Each line is `operation a b result`, numbers as `coefficient,exponent`, normalised; the result is a number or
`overflow`, `zero` (division by zero) or `domain`. Functions of one operand repeat it. `round` and `trunc` have
the number of places as second operand.

A *target* is a power of ten or two, the midpoint of two neighbours, an edge of the range or a subnormal, or lies
a little beside one of them. The operands are solved for, with 60 digits, so that the exact result is as near to
the target as 34 digits permit; other operands are exact roots and powers, numbers beside 1, and random ones.

Results come from Python's `decimal`. Where the module gmpy2 is installed, each is computed a second time: with
rational numbers, or with intervals of MPFR whose ends are rounded outwards until both round to one number. Lines
on which the two differ are counted on standard error, and end the program with 1. The same seed and count give
the same bytes.
"""
import decimal
import itertools
import random
import sys
from decimal import Decimal as D

import generate
import second_oracle

arithmetic = generate.arithmetic
CONTEXT, EXACT, WIDE, BOUNDS = arithmetic.CONTEXT, arithmetic.EXACT, arithmetic.WIDE, arithmetic.BOUNDS
# Neighbours are taken on operands of 34 digits.
OPERAND = decimal.Context(prec=34, rounding=decimal.ROUND_HALF_EVEN, Emin=-99999, Emax=99999)
DIGITS, EXPONENT_MIN, EXPONENT_MAX = 34, *BOUNDS


def number(coefficient, exponent):
    return EXACT.scaleb(D(coefficient), exponent)


def coefficient(chance, digits):
    return chance.randrange(10 ** (digits - 1), 10 ** digits)


def clipped(value):
    """A number of at most 34 digits in the range of decimal128, or None."""
    value = OPERAND.plus(value)
    exponent = value.as_tuple().exponent
    if value == 0:
        return D(0)
    if exponent > EXPONENT_MAX:
        zeros = exponent - EXPONENT_MAX
        if zeros + len(value.as_tuple().digits) > DIGITS:
            return None
        return number(int(value.scaleb(-EXPONENT_MAX, EXACT)), EXPONENT_MAX)
    return value if exponent >= EXPONENT_MIN else None


def beside(chance, value):
    """The value, or one that differs in the 15th to the 37th digit."""
    if chance.randrange(3) == 0:
        return value
    offset = chance.randrange(1, 10) * chance.choice([-1, 1])
    return WIDE.multiply(value, EXACT.add(1, number(offset, -chance.randrange(15, 38))))


def ten(chance, spread):
    return beside(chance, number(1, chance.randrange(-spread, spread + 1)))


def two(chance, spread):
    power = chance.randrange(-3 * spread, 3 * spread + 1)
    return beside(chance, WIDE.power(D(2), power))


def midpoint(chance, spread):
    """35 digits that end in five: half a unit in the last place; sometimes a little beside it."""
    digits = chance.choice([f"{coefficient(chance, DIGITS)}5", "9" * 34 + "5", "1" + "0" * 33 + "5"])
    value = number(int(digits), chance.randrange(-spread, spread + 1) - DIGITS)
    if chance.randrange(2):
        value = EXACT.multiply(value, EXACT.add(1, number(chance.choice([-1, 1]), -chance.randrange(36, 59))))
    return value


def edge(chance, spread):
    """Next to overflow, the smallest normal number, the smallest number, and half of that."""
    return beside(chance, chance.choice([
        number(10 ** 34 - 1, EXPONENT_MAX), number(10 ** 35 - 5, EXPONENT_MAX - 1), number(1, 6144), number(1, -6143),
        number(10 ** 33 - 1, EXPONENT_MIN), number(1, EXPONENT_MIN), number(5, EXPONENT_MIN - 1),
        number(15, EXPONENT_MIN - 1), number(25, EXPONENT_MIN - 1)]))


def subnormal(chance, spread):
    """Fewer than 34 digits at the least exponent, or a tie between two of them."""
    value = number(coefficient(chance, chance.randrange(1, DIGITS)), EXPONENT_MIN)
    return EXACT.add(value, number(5, EXPONENT_MIN - 1)) if chance.randrange(2) else beside(chance, value)


def ordinary(chance, spread=6):
    digits = chance.choice([1, 2, 5, 9, 17, 18, 19, 33, 34])
    return number(coefficient(chance, digits), chance.randrange(-spread, spread + 1) - digits)


def target(chance, spread=None):
    """An aimed positive result; edges and subnormals only over the whole range."""
    aims = [ten, two, midpoint] if spread else [ten, two, midpoint, edge, subnormal]
    return chance.choice(aims)(chance, spread or chance.choice([1, 6, 40, 6000]))


def beside_one(chance):
    offset = chance.choice([1, 2, 3, 5, chance.randrange(1, 1000), coefficient(chance, 17)])
    value = EXACT.add(1, number(chance.choice([-1, 1]) * offset, -chance.randrange(1, 34)))
    return value if value > 0 else D(1)


def signed(chance, value):
    return value.copy_negate() if chance.randrange(3) == 0 else value


def addition(chance, sign):
    a = target(chance) if chance.randrange(2) else ordinary(chance, chance.choice([3, 40, 6000]))
    return a, EXACT.multiply(sign, EXACT.subtract(signed(chance, target(chance)), a))


def product(chance):
    a = ordinary(chance, chance.choice([3, 40, 3000]))
    return signed(chance, a), WIDE.divide(target(chance), a)


def quotient(chance):
    b = ordinary(chance, chance.choice([3, 40, 3000]))
    return WIDE.multiply(target(chance), b), signed(chance, b)


def remainder(chance):
    b, count = ordinary(chance, chance.choice([3, 40])), chance.choice([0, 1, 9, chance.randrange(10 ** 17)])
    rest = chance.choice([D(0), b, number(1, EXPONENT_MIN), WIDE.divide(b, 2), ordinary(chance, 30)])
    return signed(chance, EXACT.add(EXACT.multiply(b, count), signed(chance, rest))), signed(chance, b)


def places(chance):
    """A digit five, a nine or random digits behind the place that is rounded."""
    count = chance.randrange(-12, 20)
    tail = chance.choice(["5", "4" + "9" * 9, "5" + "0" * 9 + "1", "9" * 12, str(chance.randrange(10 ** 6))])
    head = chance.choice([0, 9, 10 ** 9 - 1, chance.randrange(10 ** 12)])
    return signed(chance, number(int(f"{head}{tail}"), -count - len(tail))), D(count)


def whole_places(chance):
    value = signed(chance, number(chance.choice([0, 1, 10 ** 15 - 1, chance.randrange(10 ** 15)]), 0))
    value = EXACT.add(value, signed(chance, number(chance.choice([0, 1, 5, 9]), -chance.randrange(1, 18))))
    return value, value


def root(chance):
    value = target(chance)
    value = EXACT.multiply(value, value) if chance.randrange(2) else value
    return value, value


def exponential(chance):
    kind = chance.randrange(8)
    if kind == 0:
        value = number(coefficient(chance, chance.choice([1, 2, 17, 34])), 0)
        value = signed(chance, value.scaleb(-chance.randrange(30, 70), EXACT))
    elif kind == 1:
        # The argument cancels the second order, so that more digits are needed.
        offset = signed(chance, D(5 * chance.randrange(1, 50))).scaleb(-34, EXACT)
        value = WIDE.subtract(offset, WIDE.divide(WIDE.multiply(offset, offset), 2))
    elif kind == 2:
        value = signed(chance, ordinary(chance, 4))
    else:
        value = WIDE.ln(target(chance))
    return value, value


def natural_logarithm(chance):
    kind = chance.randrange(4)
    if kind == 0:
        value = beside_one(chance)
    elif kind == 1:
        value = target(chance)
    else:
        value = WIDE.exp(signed(chance, target(chance, chance.choice([1, 4]))).max(D(-14150)).min(D(14150)))
    return value, value


def base(chance):
    return chance.choice([D(2), D(10), D("0.5"), D("1.1"), D("0.1"), beside_one(chance), ordinary(chance),
                          target(chance, 300)])


def logarithm(chance):
    b = base(chance)
    kind = chance.randrange(4)
    if kind == 0:
        # A common root: the logarithm is a fraction.
        r = D(chance.choice([2, 3, 5, 7, 10, 12, 15, 101]))
        return EXACT.power(r, chance.randrange(1, 16)), EXACT.power(r, chance.randrange(1, 16))
    if kind == 1:
        return beside_one(chance), b
    return raised(b, signed(chance, target(chance, 3))), b


def raised(value, exponent):
    """`value` to the power of `exponent`, within the range."""
    logarithm = WIDE.multiply(exponent, WIDE.ln(value))
    return WIDE.exp(logarithm.max(D(-14210)).min(D(14149)))


def fractional_power(chance):
    kind = chance.randrange(7)
    if kind == 0:
        # Exact roots and their neighbours, and exact midpoints.
        p, q = chance.randrange(1, 8), chance.choice([2, 4, 5, 8, 10, 20, 25])
        digits = max(1, min(34 // q, 35 // p))
        u = chance.choice([2, 5, 3, 10 ** digits - 1, coefficient(chance, digits) // 10 * 10 + 5])
        a, b = EXACT.scaleb(EXACT.power(D(u), q), q * chance.randrange(-9, 10)), EXACT.divide(D(p), D(q))
        return a, signed(chance, b) if chance.randrange(3) == 0 else b
    if kind == 1:
        # Ties between two subnormal numbers.
        u = 10 * chance.randrange(1, 1000) + 5
        return number(u * u, 2 * chance.choice([-2059, -2060, -2058])), D("1.5")
    if kind == 2:
        # Powers of ten and two.
        q = chance.choice([2, 5, 8, 10, 16, 100, 1000, 3125])
        a = number(1, q * chance.randrange(-6000 // q, 6000 // q + 1))
        a = raised(D(2), D(q * chance.randrange(-9, 10))) if chance.randrange(3) == 0 else a
        return a, EXACT.divide(D(chance.randrange(-2 * q, 2 * q)), D(q))
    if kind == 3:
        # A number beside 1 with a large exponent.
        a = beside_one(chance)
        logarithm = WIDE.ln(a) if a != 1 else D(1)
        return a, WIDE.divide(WIDE.ln(target(chance)), logarithm)
    b = chance.choice([D("0.5"), D("1.5"), D("-0.5"), D("0.2"), D("2.5"), D("0.1"), signed(chance, ordinary(chance, 3)),
                       EXACT.add(chance.randrange(-3, 4), number(1, -chance.randrange(1, 33)))])
    if kind == 4:
        a = ordinary(chance, 30)
        return a, WIDE.divide(WIDE.ln(target(chance)), WIDE.ln(a)) if a != 1 else b
    return raised(target(chance), WIDE.divide(1, b)) if b != 0 else D(2), b


def whole_power(chance):
    count = chance.choice([2, 3, 4, 5, 12, 77, 1000, 6144, 10 ** 9, 2 ** 63 - 1, chance.randrange(1, 400)])
    count *= chance.choice([1, 1, -1])
    a = beside_one(chance) if chance.randrange(4) == 0 else raised(target(chance), WIDE.divide(1, D(count)))
    return signed(chance, a), D(count)


OPERATIONS = {
    "add": (1, lambda chance: addition(chance, 1)), "sub": (1, lambda chance: addition(chance, -1)),
    "mul": (1, product), "div": (1, quotient), "mod": (1, remainder), "round": (1, places), "trunc": (1, places),
    "ceil": (1, whole_places), "floor": (1, whole_places), "sqrt": (3, root), "exp": (5, exponential),
    "ln": (4, natural_logarithm), "log": (4, logarithm), "power": (6, fractional_power), "whole-power": (1, whole_power),
}
RESULTS = {
    "add": CONTEXT.add, "sub": CONTEXT.subtract, "mul": CONTEXT.multiply, "div": generate.divide,
    "mod": generate.modulo, "round": lambda a, b: generate.ROUND(a, int(b)),
    "trunc": lambda a, b: generate.TRUNC(a, int(b)), "ceil": lambda a, b: generate.CEIL(a, 0),
    "floor": lambda a, b: generate.FLOOR(a, 0), "sqrt": lambda a, b: arithmetic.sqrt(a),
    "exp": lambda a, b: arithmetic.exp(a), "ln": lambda a, b: arithmetic.ln(a), "log": arithmetic.log,
    "power": generate.power, "whole-power": generate.power,
}


def neighbour(chance, value):
    """The value with up to two units added to its last of 34 digits."""
    if value == 0 or chance.randrange(3):
        return value
    unit = value.adjusted() - DIGITS + 1
    return EXACT.add(value, number(chance.randrange(-2, 3), max(unit, EXPONENT_MIN)))


def operations(chance):
    """Names with two operands, each a number of decimal128."""
    names = list(itertools.chain.from_iterable([name] * weight for name, (weight, _) in OPERATIONS.items()))
    while True:
        name = chance.choice(names)
        a, b = OPERATIONS[name][1](chance)
        a, same = clipped(a), a is b
        a = a if a is None or name == "log" and chance.randrange(2) else clipped(neighbour(chance, a))
        b = a if same else clipped(b)
        if a is not None and b is not None and (name != "power" or b != b.to_integral_value(context=EXACT)):
            yield name, a, b


def outcome(name, a, b):
    try:
        return arithmetic.outcome(lambda: RESULTS[name](a, b))
    except generate.Fault as fault:
        return {"division-by-zero": "zero"}.get(str(fault), str(fault))


def main():
    if len(sys.argv) != 3 or not all(word.isdigit() for word in sys.argv[1:]):
        sys.exit(__doc__)
    chance, compared, differ = random.Random(int(sys.argv[1])), 0, 0
    for name, a, b in itertools.islice(operations(chance), int(sys.argv[2])):
        result = outcome(name, a, b)
        second = second_oracle.outcome(name, a, b)
        compared += second is not None
        if second not in (None, result):
            differ += 1
            print(f"{name} {a} {b}: decimal {result}, MPFR {second}", file=sys.stderr)
        print(name, arithmetic.parts(a), arithmetic.parts(b), result)
    if second_oracle.AVAILABLE:
        print(f"decimal and MPFR: {compared} compared, {differ} differ", file=sys.stderr)
    else:
        print("decimal and MPFR: skipped, the module gmpy2 is missing", file=sys.stderr)
    sys.exit(differ > 0)


if __name__ == "__main__":
    main()
