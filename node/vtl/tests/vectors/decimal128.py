#!/usr/bin/env python3
"""Writes decimal128.txt: what Python's decimal module makes of IEEE decimal128 arithmetic.

Each line: operation, operands, result, all as `coefficient,exponent` of the normalised value
(zero is `0,0`), or `overflow` or `zero` (a division by zero). Run it in this directory; the output
does not depend on the machine.
"""
import decimal
import random
from decimal import Decimal as D

# clamp=1 and these bounds are the decimal128 interchange format.
CONTEXT = decimal.Context(prec=34, rounding=decimal.ROUND_HALF_EVEN, Emin=-6143, Emax=6144, clamp=1,
                          traps=[decimal.Overflow, decimal.DivisionByZero, decimal.InvalidOperation])
EXACT = decimal.Context(prec=20000, Emin=-99999, Emax=99999)
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


def outcome(compute):
    try:
        return parts(compute())
    except decimal.Overflow:
        return "overflow"
    except (decimal.DivisionByZero, decimal.DivisionUndefined, decimal.InvalidOperation):
        return "zero"


def rounded(value, places):
    """Half away from zero on the exact digits."""
    unit = D((0, (1,), -places))
    return CONTEXT.plus(EXACT.multiply(EXACT.divide(value, unit).quantize(D(1), decimal.ROUND_HALF_UP, EXACT), unit))


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
    with open("decimal128.txt", "w") as out:
        out.write("\n".join(lines) + "\n")


main()
