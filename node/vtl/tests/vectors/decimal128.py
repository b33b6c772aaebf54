#!/usr/bin/env python3
"""Writes decimal128.txt: results of IEEE 754 decimal128 arithmetic by Python's decimal module.

Each line has operation, operands and result, all as `coefficient,exponent` of the normalised value
(zero is `0,0`), or `overflow`, `zero` (division by zero) or `domain` (no result). Functions of one
operand repeat it. Run it in this directory; the output
does not depend on the machine.
"""
import decimal
import random
from decimal import Decimal as D

# clamp=1 and these bounds are the decimal128 interchange format.
CONTEXT = decimal.Context(prec=34, rounding=decimal.ROUND_HALF_EVEN, Emin=-6143, Emax=6144, clamp=1,
                          traps=[decimal.Overflow, decimal.DivisionByZero, decimal.InvalidOperation])
EXACT = decimal.Context(prec=20000, Emin=-99999, Emax=99999)
WIDE = decimal.Context(prec=60, Emin=-99999, Emax=99999)
BOUNDS = (-6176, 6111)


def parts(value):
    if value == 0:
        return "0,0"
    sign, digits, exponent = value.as_tuple()
    coefficient = int("".join(map(str, digits)))
    while coefficient % 10 == 0 and exponent < BOUNDS[1]:
        coefficient //= 10
        exponent += 1
    return f"{'-' if sign else ''}{coefficient},{exponent}"


def operand(value):
    sign, digits, exponent = value.as_tuple()
    return f"{'-' if sign and value != 0 else ''}{int(''.join(map(str, digits)))},{exponent}"


class Domain(Exception):
    pass


def outcome(compute):
    try:
        return parts(compute())
    except Domain:
        return "domain"
    except decimal.Overflow:
        return "overflow"
    except (decimal.DivisionByZero, decimal.DivisionUndefined, decimal.InvalidOperation):
        return "zero"


def rounded(value, places):
    """Half away from zero on the exact digits."""
    unit = D((0, (1,), -places))
    return CONTEXT.plus(EXACT.multiply(EXACT.divide(value, unit).quantize(D(1), decimal.ROUND_HALF_UP, EXACT), unit))


def ziv(compute):
    """What a function rounds to: computed with more and more digits until both ends agree."""
    digits = 80
    while True:
        context = decimal.Context(prec=digits, Emin=-999999, Emax=999999)
        value = compute(context)
        if value == 0:
            return value
        ulp = D((0, (1,), value.adjusted() - digits + 6))
        low, high = EXACT.subtract(value, ulp), EXACT.add(value, ulp)
        if digits > 400:
            low = high = decimal.Context(prec=200, Emin=-999999, Emax=999999).plus(value)
        ends = []
        for end in (low, high):
            try:
                ends.append(CONTEXT.plus(end))
            except decimal.Overflow:
                ends.append(None)
        if ends[0] == ends[1]:
            if ends[0] is None:
                raise decimal.Overflow
            return ends[0]
        digits *= 2


def exponential(context, value):
    """Far beyond the range the sign alone tells."""
    value = max(D(-20000), min(D(20000), value))
    return context.exp(value)


def exp(value):
    return ziv(lambda context: exponential(context, value))


def ln(value):
    if value <= 0:
        raise Domain
    return ziv(lambda context: context.ln(value))


def log(value, base):
    if value <= 0 or base <= 0 or base == 1:
        raise Domain
    return ziv(lambda context: context.divide(context.ln(value), context.ln(base)))


def sqrt(value):
    if value < 0:
        raise Domain
    return CONTEXT.sqrt(value)


def power(base, exponent):
    """For an exponent that is not whole."""
    if base < 0:
        raise Domain
    if base == 0:
        if exponent < 0:
            raise decimal.DivisionByZero
        return base

    def compute(context):
        wide = decimal.Context(prec=context.prec + 80, Emin=-999999, Emax=999999)
        return exponential(wide, wide.multiply(exponent, wide.ln(base)))
    return ziv(compute)


def near(chance):
    """Operands of the functions: ordinary ones, ones near 1, and those whose results are near the
    middle of two numbers."""
    edges = [D(1), D("1.000000000000000000000000000000001"), D("0.9999999999999999999999999999999999"),
             D("0.999999999999999999999999999999999"), D("5E-34"), D("-5E-35"), D("5E-35"), D("1E-33"), D("0.5"),
             D("1.5"), D("-0.5"), D(2), D(10), D(100), D("0.1"), D("1E-17"), D("3.162277660168379E-17"),
             D("1.00000000000000005"), D("90000000003000000000025"), D("14149.38539644841072829055748903541"),
             D("14149.38539644841072829055748903542"), D("-14220"), D("-14221.4"), D("-14221.5"), D("-14200.1")]
    source = numbers(chance)
    while True:
        kind = chance.randrange(6)
        if kind == 0:
            yield chance.choice(edges)
        elif kind == 1:
            yield next(source)
        elif kind == 2:
            places = chance.choice([1, 3, 8, 17, 33])
            yield EXACT.add(1, D((chance.randrange(2), (chance.randrange(1, 10),), -places)))
        elif kind == 3:
            yield D(chance.randrange(1, 2000)).scaleb(-chance.randrange(4))
        else:
            digits = chance.choice([1, 3, 9, 18, 34])
            value = D(chance.randrange(1, 10 ** digits)).scaleb(chance.randrange(-2, 5) - digits, EXACT)
            yield value.copy_negate() if chance.randrange(3) == 0 else value


def below_power_of_ten(chance):
    """The logarithm, to 60 digits, of a number that is less than a power of ten in its 15th to 37th digit."""
    offset = D(chance.randrange(1, 100)).scaleb(-chance.randrange(17, 38))
    power = D(chance.randrange(-6150, 2) if chance.randrange(2) else chance.randrange(-9, 2))
    return WIDE.add(WIDE.multiply(power, WIDE.ln(D(10))), WIDE.ln(EXACT.subtract(D(1), offset)))


def numbers(chance):
    """Operands of many sizes, edges among them."""
    edges = [D(0), D(1), D(-1), D("0.1"), D(5), D("0.5"), D("1E-6176"), D("-1E-6176"), D("9E-6143"),
             D((0, (9,) * 34, 6111)), D((1, (9,) * 34, 6111)), D((0, (9,) * 34, 0)), D((0, (1,) + (0,) * 33, 6111)),
             D((0, (5,) + (0,) * 33, -34)), D((0, (9,) * 34, -34)), D((0, (3,) * 34, -6176)), D("1E+6111")]
    while True:
        kind = chance.randrange(6)
        if kind == 0:
            yield chance.choice(edges)
            continue
        digits = chance.choice([1, 2, 5, 9, 18, 19, 20, 33, 34])
        spread = {1: 4, 2: 20, 3: 40, 4: 80, 5: 6100}[kind]
        coefficient = chance.randrange(10 ** digits)
        exponent = max(BOUNDS[0], min(BOUNDS[1], chance.randrange(-spread, spread)))
        yield D((chance.randrange(2), tuple(map(int, str(coefficient))), exponent))


def main():
    chance = random.Random(128)
    source = numbers(chance)
    lines = []
    for name, compute in [("add", CONTEXT.add), ("sub", CONTEXT.subtract), ("mul", CONTEXT.multiply),
                          ("div", CONTEXT.divide)]:
        for _ in range(250):
            a, b = next(source), next(source)
            lines.append(f"{name} {operand(a)} {operand(b)} {outcome(lambda: compute(a, b))}")
    for _ in range(100):
        a, b = next(source), next(source)
        lines.append(f"compare {operand(a)} {operand(b)} {int(EXACT.compare(a, b))}")
        lines.append(f"compare {operand(a)} {operand(a)} 0")
    for _ in range(200):
        a, places = next(source), chance.randrange(-8, 12)
        lines.append(f"round {operand(a)} {places},0 {outcome(lambda: rounded(a, places))}")
    for base, exponent in [("1.01", 12), ("0.999", 12), ("1.0023456789", 4), ("3", 77), ("-7.5", 31), ("10", 6144)]:
        result = D(1)
        for bit in bin(exponent)[2:]:
            result = CONTEXT.multiply(result, result)
            if bit == "1":
                result = CONTEXT.multiply(result, D(base))
        lines.append(f"power {operand(D(base))} {exponent},0 {parts(result)}")
        lines.append(f"power {operand(D(base))} {-exponent},0 {outcome(lambda: CONTEXT.divide(D(1), result))}")
    chance = random.Random(34)
    source = near(chance)
    for name, compute in [("sqrt", sqrt), ("ln", ln), ("exp", exp)]:
        for _ in range(400):
            a = next(source)
            lines.append(f"{name} {operand(a)} {operand(a)} {outcome(lambda: compute(a))}")
    for _ in range(400):
        a, b = next(source), next(source)
        lines.append(f"log {operand(a)} {operand(b)} {outcome(lambda: log(a, b))}")
    for x in range(1, 1200):
        lines.append(f"log {x},0 10,0 {outcome(lambda: CONTEXT.log10(D(x)))}")
    made = 0
    while made < 400:
        a, b = next(source), next(source)
        if b != b.to_integral_value():
            lines.append(f"power {operand(a)} {operand(b)} {outcome(lambda: power(a, b))}")
            made += 1
    # The middle itself: the cube of a number of twelve digits has 35 and ends in five.
    for root in [200000000005, 300000000005, 271828182845, 465000000015]:
        a, b = D(root * root), D("1.5")
        lines.append(f"power {operand(a)} {operand(b)} {parts(CONTEXT.plus(D(root ** 3)))}")
    # Between two subnormal numbers.
    for root in [5, 15, 45, 115, 2345]:
        a = D(root * root).scaleb(-4118, EXACT)
        lines.append(f"power {operand(a)} 15,-1 {outcome(lambda: CONTEXT.plus(EXACT.scaleb(D(root ** 3), -6177)))}")
    chance = random.Random(10)
    for _ in range(150):
        logarithm = below_power_of_ten(chance)
        a = CONTEXT.plus(logarithm)
        lines.append(f"exp {operand(a)} {operand(a)} {outcome(lambda: exp(a))}")
        b = D(chance.choice(["0.5", "1.5", "-0.5", "0.2", "-0.0625", "2.5"]))
        while abs(WIDE.divide(logarithm, b)) > 14000:
            logarithm = below_power_of_ten(chance)
        a = CONTEXT.plus(WIDE.exp(WIDE.divide(logarithm, b)))
        lines.append(f"power {operand(a)} {operand(b)} {outcome(lambda: power(a, b))}")
    with open("decimal128.txt", "w") as out:
        out.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
