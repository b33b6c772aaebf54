"""Operators on series of values in time: vtl.md, sections 16 and 18, for a `time_period`."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from . import scalars
from .errors import Refused, failed
from .periods import FREQUENCIES, Period, first_day, last_day, period
from .scalars import DECIMAL128, NUMERIC, rounded, type_error
from .tables import Component, Row, Table
from .vtl import Unsupported


def time_index(table: Table) -> int:
    times = [
        index
        for index, component in enumerate(table.components)
        if component.is_identifier and component.type in ("time_period", "date", "time")
    ]
    if len(times) != 1:
        raise failed("structure", "one identifier of time is needed")
    if table.components[times[0]].type != "time_period":
        raise Unsupported("series of dates or intervals")
    return times[0]


def shifted(value: Period, count: int) -> Period:
    try:
        return period(value.frequency, value.ordinal + count)
    except Refused:
        raise failed("overflow", "a period beyond the calendar") from None


def timeshift(table: Table, count: int) -> Table:
    index = time_index(table)
    rows = [(*row[:index], shifted(row[index], count), *row[index + 1 :]) for row in table.rows]
    result = Table(table.components, rows)
    result.sort()
    return result


def series_of(table: Table) -> Iterator[list[Row]]:
    """Data points of equal other identifiers and of one frequency, in the order of time."""
    index = time_index(table)
    groups: dict[Any, list[Row]] = {}
    for row in table.rows:
        key = table.key(row)
        groups.setdefault((*key[:index], *key[index + 1 :], row[index].rank), []).append(row)
    for rows in groups.values():
        yield sorted(rows, key=lambda row: row[index])


def over_series(table: Table, function: Callable[[str, list[Any]], list[Any]], as_number: bool) -> Table:
    """Applies a function to each measure of each series."""
    key_size = table.key_size
    components, measures = [], []
    for index, component in enumerate(table.components):
        if component.role == "measure":
            if component.type not in NUMERIC:
                raise type_error(f"a series of {component.type}")
            measures.append(index)
        if component.role == "measure" and as_number:
            component = Component(component.id, component.role, "number")
        if not as_number or component.role != "attribute":
            components.append(component)
    kept = [index for index, component in enumerate(table.components) if component.id in {c.id for c in components}]
    rows: list[Row] = []
    for series in series_of(table):
        cells = [list(row) for row in series]
        for index in measures:
            for row, value in zip(cells, function(table.components[index].type, [row[index] for row in series])):
                row[index] = value
        rows += [tuple(row[index] for index in kept) for row in cells]
    result = Table(components, rows)
    assert result.key_size == key_size
    result.sort()
    return result


def stock(value_type: str, values: list[Any]) -> list[Any]:
    result, so_far = [], Decimal(0)
    for value in values:
        if value is not None:
            so_far = scalars.EXACT.add(so_far, Decimal(value))
        if value is None:
            result.append(None)
        elif value_type == "integer":
            result.append(scalars.checked(int(so_far)))
        else:
            result.append(rounded(DECIMAL128.plus, so_far))
    return result


def flow(value_type: str, values: list[Any]) -> list[Any]:
    if not values:
        return []
    before = scalars.Column(value_type, values[:-1])
    after = scalars.Column(value_type, values[1:])
    return [values[0], *scalars.binary("-", after, before).values]


def fill_time_series(table: Table, mode: str = "all") -> Table:
    index = time_index(table)
    rows = list(table.rows)
    if not rows:
        return table
    first = min(first_day(row[index]) for row in rows)
    last = max(last_day(row[index]) for row in rows)
    for series in series_of(table):
        present = {row[index] for row in series}
        if mode == "single":
            periods = span(series[0][index], series[-1][index])
        else:
            periods = within(series[0][index].frequency, series[0][index], first, last)
        sample = series[0]
        blank = [None] * (len(table.components) - table.key_size)
        for value in periods:
            if value not in present:
                rows.append((*sample[:index], value, *sample[index + 1 : table.key_size], *blank))
    result = Table(table.components, rows)
    result.sort()
    return result


def span(first: Period, last: Period) -> list[Period]:
    return [period(first.frequency, ordinal) for ordinal in range(first.ordinal, last.ordinal + 1)]


def within(frequency: str, start: Period, first: Any, last: Any) -> list[Period]:
    """Every period of the frequency that lies wholly between two days."""
    low = high = start
    while low.ordinal > 0 and (before := attempt(frequency, low.ordinal - 1)) and first_day(before) >= first:
        low = before
    while (after := attempt(frequency, high.ordinal + 1)) and last_day(after) <= last:
        high = after
    return span(low, high)


def attempt(frequency: str, ordinal: int) -> Period | None:
    try:
        return period(frequency, ordinal)
    except Refused:
        return None


def ewma(table: Table, weight: Any) -> Table:
    weight = Decimal(weight)
    if not 0 < weight <= 1:
        raise failed("domain", "a weight is above 0 and at most 1")
    rest = rounded(DECIMAL128.subtract, 1, weight)

    def average(_: str, values: list[Any]) -> list[Any]:
        return folded(
            values,
            lambda last, x: rounded(
                DECIMAL128.add, rounded(DECIMAL128.multiply, weight, x), rounded(DECIMAL128.multiply, rest, last)
            ),
        )

    return over_series(table, average, as_number=True)


def folded(values: list[Any], step: Callable[[Any, Any], Any]) -> list[Any]:
    """A null stays null and is skipped."""
    result, last = [], None
    for value in values:
        if value is None:
            result.append(None)
            continue
        last = Decimal(value) if last is None else step(last, value)
        result.append(last)
    return result


def product(_: str, values: list[Any]) -> list[Any]:
    return folded(values, lambda last, x: rounded(DECIMAL128.multiply, last, x))


SERIES: dict[str, Callable[..., Table]] = {
    "timeshift": timeshift,
    "flow_to_stock": lambda table: over_series(table, stock, as_number=False),
    "stock_to_flow": lambda table: over_series(table, flow, as_number=False),
    "fill_time_series": fill_time_series,
    "ewma": ewma,
    "chain_product": lambda table: over_series(table, product, as_number=True),
}
