"""Numbers: objects.md, section 5, and vtl.md, section 2. A number is a Decimal; its digits are kept."""

import re
from decimal import ROUND_HALF_EVEN, Context, Decimal, Inexact, InvalidOperation, Overflow, Rounded
from typing import Any

from .errors import Refused

DIGITS_MAX = 34
EXPONENT_MIN, EXPONENT_MAX = -6176, 6111
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1

# IEEE 754-2008 decimal128: rounding half to even, results clamped to the exponent range.
DECIMAL128 = Context(
    prec=DIGITS_MAX, rounding=ROUND_HALF_EVEN, Emin=-6143, Emax=6144, clamp=1, traps=[InvalidOperation, Overflow]
)
# Sums are exact, whatever their exponents; a result that needs rounding is an error of this program.
EXACT = Context(prec=20_000, Emin=-100_000, Emax=100_000, traps=[InvalidOperation, Overflow, Inexact, Rounded])
# For operations that round to a place rather than to 34 digits.
WIDE = Context(prec=20_000, Emin=-100_000, Emax=100_000, traps=[InvalidOperation, Overflow])


def number(coefficient: int, exponent: int) -> Decimal:
    if abs(coefficient) >= 10**DIGITS_MAX:
        raise Refused("digits", "a number has at most 34 digits")
    if not EXPONENT_MIN <= exponent <= EXPONENT_MAX:
        raise Refused("exponent", "an exponent from -6176 to 6111")
    digits = tuple(map(int, str(abs(coefficient))))
    return Decimal((int(coefficient < 0), digits, exponent))


def parts(value: Decimal) -> tuple[int, int]:
    """Coefficient and exponent."""
    sign, digits, exponent = value.as_tuple()
    coefficient = int("".join(map(str, digits)))
    return -coefficient if sign else coefficient, int(exponent)


def same_digits(a: Decimal, b: Decimal) -> bool:
    return parts(a) == parts(b)


def normalise(value: Decimal) -> Decimal:
    """Without trailing zeros, at most to the upper end of the exponents."""
    coefficient, exponent = parts(value)
    if coefficient == 0:
        return Decimal(0)
    while coefficient % 10 == 0 and exponent < EXPONENT_MAX:
        coefficient //= 10
        exponent += 1
    return number(coefficient, exponent)


def is_normalised(value: Decimal) -> bool:
    coefficient, exponent = parts(value)
    return exponent == 0 if coefficient == 0 else coefficient % 10 != 0 or exponent == EXPONENT_MAX


def decode_number(value: Any) -> Decimal:
    """The pair of an object; a coefficient beyond 64 bits is a byte string."""
    if not isinstance(value, list) or len(value) != 2 or type(value[1]) is not int:
        raise Refused("shape", "a number is a pair")
    coefficient, exponent = value
    if isinstance(coefficient, bytes):
        coefficient = decode_coefficient(coefficient)
    elif type(coefficient) is not int or not INT64_MIN <= coefficient <= INT64_MAX:
        raise Refused("shape", "a coefficient is an integer of 64 bits or a byte string")
    return number(coefficient, exponent)


def decode_coefficient(data: bytes) -> int:
    value = int.from_bytes(data, "big", signed=True)
    shortest = (value if value >= 0 else ~value).bit_length() // 8 + 1
    if INT64_MIN <= value <= INT64_MAX or len(data) != shortest:
        raise Refused("shape", "a byte string only beyond 64 bits, and the shortest")
    return value


SPELLING = re.compile(r"([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?", re.ASCII)


def parse_number(text: str) -> Decimal:
    """A number as documents write it: digits and exponent as written."""
    match = SPELLING.fullmatch(text)
    if not match or not (match[2] or match[3]):
        raise Refused("syntax", f"{text!r} is not a number")
    sign, whole, fraction, exponent = match[1], match[2], match[3] or "", int(match[4] or 0)
    coefficient = int((sign if sign == "-" else "") + whole + fraction)
    exponent -= len(fraction)
    while abs(coefficient) >= 10**DIGITS_MAX and coefficient % 10 == 0:
        coefficient //= 10
        exponent += 1
    return number(coefficient, exponent)
