"""Operators on columns of values: vtl.md, sections 1 to 3. A column has one type, and null as None."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_UP, Decimal, Overflow
from typing import Any

from .decimals import DECIMAL128, EXACT, INT64_MAX, INT64_MIN, WIDE, parts
from .errors import VerdictError, failed
from .periods import Period, first_day
from .vtl import Unsupported

NUMERIC = ("integer", "number")
# The type of the literal null, which fits every type.
ANY = "null"


@dataclass
class Column:
    type: str
    values: list[Any]


def type_error(message: str) -> VerdictError:
    return failed("type", message)


def common_type(*types: str) -> str:
    known = {value_type for value_type in types if value_type != ANY}
    if len(known) <= 1:
        return known.pop() if known else ANY
    if known == set(NUMERIC):
        return "number"
    raise type_error(f"values of the types {', '.join(sorted(known))} together")


def accept(column: Column, *types: str) -> None:
    if column.type not in (*types, ANY):
        raise type_error(f"{column.type} where {' or '.join(types)} is needed")


def checked(value: int) -> int:
    if not INT64_MIN <= value <= INT64_MAX:
        raise failed("overflow", "an integer beyond 64 bits")
    return value


def rounded(operation: Callable[..., Decimal], *operands: Any) -> Decimal:
    """One operation on exact operands, rounded once."""
    try:
        return operation(*(Decimal(operand) if isinstance(operand, int) else operand for operand in operands))
    except Overflow:
        raise failed("overflow", "a number beyond the range") from None


def mapped(value_type: str, function: Callable[..., Any], *columns: Column) -> Column:
    """Null when an operand is null."""
    rows = zip(*(column.values for column in columns))
    return Column(value_type, [None if None in row else function(*row) for row in rows])


def arithmetic(operator: str, a: Column, b: Column) -> Column:
    accept(a, *NUMERIC)
    accept(b, *NUMERIC)
    if operator == "/":
        return Column("number", [divide(x, y) for x, y in zip(a.values, b.values)])
    value_type = common_type(a.type, b.type)
    if value_type == "integer":
        integers = {"+": int.__add__, "-": int.__sub__, "*": int.__mul__}[operator]
        return mapped(value_type, lambda x, y: checked(integers(x, y)), a, b)
    numbers = {"+": DECIMAL128.add, "-": DECIMAL128.subtract, "*": DECIMAL128.multiply}[operator]
    return mapped("number", lambda x, y: rounded(numbers, x, y), a, b)


def divide(x: Any, y: Any) -> Decimal | None:
    if x is None or y is None:
        return None
    if y == 0:
        raise failed("division-by-zero", "a division by zero")
    return rounded(DECIMAL128.divide, x, y)


ORDERINGS: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda x, y: x < y,
    "<=": lambda x, y: x <= y,
    ">": lambda x, y: x > y,
    ">=": lambda x, y: x >= y,
}


def comparison(operator: str, a: Column, b: Column) -> Column:
    common_type(a.type, b.type)
    if operator == "=":
        return mapped("boolean", lambda x, y: x == y, a, b)
    if operator == "<>":
        return mapped("boolean", lambda x, y: x != y, a, b)
    return mapped("boolean", lambda x, y: ordered(operator, x, y), a, b)


def ordered(operator: str, x: Any, y: Any) -> bool:
    if isinstance(x, Period) and x.rank != y.rank:
        raise failed("frequency", "periods of different frequencies have no order")
    return ORDERINGS[operator](x, y)


def both(x: Any, y: Any) -> Any:
    return False if x is False or y is False else None if x is None or y is None else True


def either(x: Any, y: Any) -> Any:
    return True if x is True or y is True else None if x is None or y is None else False


def logical(operator: str, a: Column, b: Column) -> Column:
    accept(a, "boolean")
    accept(b, "boolean")
    if operator == "xor":
        return mapped("boolean", lambda x, y: x != y, a, b)
    function = both if operator == "and" else either
    return Column("boolean", [function(x, y) for x, y in zip(a.values, b.values)])


def concatenate(a: Column, b: Column) -> Column:
    accept(a, "string")
    accept(b, "string")
    return Column("string", [(x or "") + (y or "") for x, y in zip(a.values, b.values)])


def binary(operator: str, a: Column, b: Column) -> Column:
    if operator in "+-*/":
        return arithmetic(operator, a, b)
    if operator in ("and", "or", "xor"):
        return logical(operator, a, b)
    return concatenate(a, b) if operator == "||" else comparison(operator, a, b)


def unary(operator: str, a: Column) -> Column:
    if operator == "not":
        accept(a, "boolean")
        return mapped("boolean", lambda x: not x, a)
    accept(a, *NUMERIC)
    return a if operator == "+" else mapped(a.type, negative, a)


def negative(x: Any) -> Any:
    return checked(-x) if isinstance(x, int) else x.copy_negate() if x else x


def member_of(operator: str, a: Column, items: list[Column]) -> Column:
    found = Column("boolean", [False] * len(a.values))
    for item in items:
        found = logical("or", found, comparison("=", a, item))
    return found if operator == "in" else unary("not", found)


def between(a: Column, low: Column, high: Column) -> Column:
    """Null when an operand is null."""
    common_type(a.type, low.type, high.type)
    return mapped("boolean", lambda x, y, z: ordered("<=", y, x) and ordered("<=", x, z), a, low, high)


def to_places(x: Any, places: int, rounding: str) -> Decimal:
    value = Decimal(x)
    if parts(value)[1] >= -places:
        return value
    return value.quantize(Decimal((0, (1,), -places)), rounding=rounding, context=WIDE)


def digits(rounding: str) -> Callable[..., Column]:
    def apply(a: Column, places: Column | None = None) -> Column:
        accept(a, *NUMERIC)
        if places is None:
            return mapped("integer", lambda x: checked(int(to_places(x, 0, rounding))), a)
        accept(places, "integer")
        return mapped("number", lambda x, n: to_places(x, n, rounding), a, places)

    return apply


def absolute(a: Column) -> Column:
    accept(a, *NUMERIC)
    return mapped(a.type, lambda x: checked(abs(x)) if isinstance(x, int) else x.copy_abs(), a)


def modulo(a: Column, b: Column) -> Column:
    accept(a, *NUMERIC)
    accept(b, *NUMERIC)
    return mapped(common_type(a.type, b.type), remainder, a, b)


def remainder(x: Any, y: Any) -> Any:
    if y == 0:
        return x
    if isinstance(x, int) and isinstance(y, int):
        return x % y
    rest = EXACT.remainder(Decimal(x), Decimal(y))
    return rest if rest == 0 or (rest < 0) == (y < 0) else rounded(DECIMAL128.add, rest, y)


def power(a: Column, b: Column) -> Column:
    accept(a, *NUMERIC)
    accept(b, *NUMERIC)
    return mapped("number", whole_power, a, b)


def whole_power(x: Any, n: Any) -> Decimal:
    if n != int(n):
        raise Unsupported("power with an exponent that is not whole")
    exponent = checked(int(n))
    result = Decimal(1)
    for bit in bin(abs(exponent))[2:] if exponent else "":
        result = rounded(DECIMAL128.multiply, result, result)
        if bit == "1":
            result = rounded(DECIMAL128.multiply, result, x)
    return result if exponent >= 0 else divide(1, result) or Decimal(0)


def real(operation: Callable[[Decimal], Decimal], domain: Callable[[Any], bool]) -> Callable[[Column], Column]:
    def value(x: Any) -> Decimal:
        if not domain(x):
            raise failed("domain", "an operand outside the domain of the function")
        return rounded(operation, x)

    def apply(a: Column) -> Column:
        accept(a, *NUMERIC)
        return mapped("number", value, a)

    return apply


def nvl(a: Column, default: Column) -> Column:
    value_type = common_type(a.type, default.type)
    return Column(value_type, [y if x is None else x for x, y in zip(a.values, default.values)])


def is_null(a: Column) -> Column:
    return Column("boolean", [x is None for x in a.values])


def date_part(part: Callable[[Period], int]) -> Callable[[Column], Column]:
    def apply(a: Column) -> Column:
        accept(a, "time_period", "date")
        return mapped("integer", part, a)

    return apply


def year(x: Period) -> int:
    day = first_day(x)
    return day.isocalendar()[0] if x.frequency == "W" else day.year


def period_indicator(a: Column) -> Column:
    accept(a, "time_period")
    return mapped("duration", lambda x: x.frequency, a)


def cast(a: Column, value_type: str) -> Column:
    if value_type == a.type:
        return a
    if (a.type, value_type) == ("integer", "number"):
        return Column("number", a.values)
    if (a.type, value_type) == ("number", "integer"):
        return mapped("integer", whole, a)
    raise Unsupported(f"cast from {a.type} to {value_type}")


def whole(x: Decimal) -> int:
    if x != int(x):
        raise failed("cast", "a number that is not whole")
    return checked(int(x))


FUNCTIONS: dict[str, Callable[..., Column]] = {
    "abs": absolute,
    "round": digits(ROUND_HALF_UP),
    "trunc": digits(ROUND_DOWN),
    "ceil": digits(ROUND_CEILING),
    "floor": digits(ROUND_FLOOR),
    "mod": modulo,
    "power": power,
    "sqrt": real(DECIMAL128.sqrt, lambda x: x >= 0),
    "ln": real(DECIMAL128.ln, lambda x: x > 0),
    "exp": real(DECIMAL128.exp, lambda x: True),
    "nvl": nvl,
    "isnull": is_null,
    "between": between,
    "getyear": date_part(year),
    "getmonth": date_part(lambda x: first_day(x).month),
    "dayofmonth": date_part(lambda x: first_day(x).day),
    "dayofyear": date_part(lambda x: first_day(x).timetuple().tm_yday),
    "period_indicator": period_indicator,
}
# Functions whose result has another type than their operand: one measure, renamed (section 4).
CHANGING = {"isnull", "between", "getyear", "getmonth", "dayofmonth", "dayofyear", "period_indicator"}


# Aggregates: section 6. They see the values of a group that are not null.


def exact_sum(values: list[Any]) -> Decimal:
    total = Decimal(0)
    for value in values:
        total = EXACT.add(total, Decimal(value))
    return total


def total(value_type: str, values: list[Any]) -> Any:
    if value_type == "integer":
        return checked(sum(values))
    return rounded(DECIMAL128.plus, exact_sum(values))


def average(values: list[Any]) -> Decimal:
    return rounded(DECIMAL128.divide, exact_sum(values), len(values))


def median(values: list[Any]) -> Decimal:
    ordered_values = sorted(values)
    middle = len(values) // 2
    if len(values) % 2:
        return Decimal(ordered_values[middle])
    return average(ordered_values[middle - 1 : middle + 1])


def variance(values: list[Any], sample: bool) -> Decimal | None:
    count = len(values)
    divisor = count * (count - 1) if sample else count * count
    if divisor == 0:
        return None
    square = EXACT.multiply(exact_sum(values), exact_sum(values))
    squares = exact_sum([EXACT.multiply(Decimal(value), Decimal(value)) for value in values])
    return rounded(DECIMAL128.divide, EXACT.subtract(EXACT.multiply(squares, Decimal(count)), square), divisor)


def deviation(values: list[Any], sample: bool) -> Decimal | None:
    result = variance(values, sample)
    return None if result is None else rounded(DECIMAL128.sqrt, result)


AGGREGATES = (
    *("sum", "avg", "count", "min", "max", "median"),
    *("stddev_pop", "stddev_samp", "var_pop", "var_samp"),
)


def aggregate_type(name: str, value_type: str) -> str:
    if name == "count":
        return "integer"
    if name in ("min", "max"):
        return value_type
    if value_type not in (*NUMERIC, ANY):
        raise type_error(f"{name} of {value_type}")
    return value_type if name == "sum" else "number"


def aggregate(name: str, value_type: str, values: list[Any]) -> Any:
    present = [value for value in values if value is not None]
    if name == "count":
        return len(present)
    if not present:
        return None
    if name == "sum":
        return total(value_type, present)
    if name in ("min", "max"):
        return min(present) if name == "min" else max(present)
    if name == "avg":
        return average(present)
    if name == "median":
        return median(present)
    function = variance if name.startswith("var") else deviation
    return function(present, name.endswith("samp"))
