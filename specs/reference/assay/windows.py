"""Analytic invocations: vtl.md, section 8, with windows of data points."""

from typing import TYPE_CHECKING, Any

from . import scalars
from .errors import failed
from .scalars import AGGREGATES, Column
from .vtl import Node, Unsupported

if TYPE_CHECKING:
    from .engine import Engine, Scope


def analytic(engine: "Engine", node: Node, scope: "Scope") -> Column:
    if scope.groups is not None:
        raise Unsupported("an analytic invocation in an aggregate")
    window = node.extra["over"]
    arguments = [engine.column(argument, scope) for argument in node.args]
    operand = arguments[0] if arguments else Column("integer", [1] * len(scope.rows))
    values: list[Any] = [None] * len(scope.rows)
    for partition in partitions(scope, window):
        order = [order_key(scope, window, index) for index in partition]
        cells = [operand.values[index] for index in partition]
        for index, value in zip(partition, invoke(node, operand.type, cells, order, arguments, window)):
            values[index] = value
    return Column(result_type(node.value, operand.type), values)


def result_type(name: str, value_type: str) -> str:
    if name in AGGREGATES:
        return scalars.aggregate_type(name, value_type)
    return {"rank": "integer", "ratio_to_report": "number"}.get(name, value_type)


def partitions(scope: "Scope", window: dict[str, Any]) -> list[list[int]]:
    """The positions of the rows of each partition, in its order."""
    identifiers = scope.table.names[: scope.table.key_size]
    ordering = [name for name, _ in window["order"]]
    for name in ordering:
        if name not in scope.names:
            raise failed("unknown-name", f"no component {name}")
    names = [name for name in identifiers if name not in ordering]
    if window["partition"]:
        kind, listed = window["partition"]
        names = listed if kind == "by" else [name for name in identifiers if name not in listed]
    columns = [scope.names[name] for name in names]
    groups: dict[Any, list[int]] = {}
    for index, row in enumerate(scope.rows):
        groups.setdefault(tuple(row[column] for column in columns), []).append(index)
    for positions in groups.values():
        for name, descending in reversed(window["order"]):
            column = scope.names[name]
            positions.sort(key=lambda index: null_first(scope.rows[index][column]), reverse=descending)
    return list(groups.values())


def null_first(cell: Any) -> tuple[Any, ...]:
    return (0,) if cell is None else (1, cell)


def order_key(scope: "Scope", window: dict[str, Any], index: int) -> tuple[Any, ...]:
    return tuple(scope.rows[index][scope.names[name]] for name, _ in window["order"])


def invoke(
    node: Node, value_type: str, cells: list[Any], order: list[Any], arguments: list[Column], window: dict[str, Any]
) -> list[Any]:
    name = node.value
    if name in ("lag", "lead"):
        return moved(name, cells, arguments)
    if name == "rank":
        return [1 + order.index(key) for key in order]
    if name == "ratio_to_report":
        whole = scalars.aggregate("sum", "number", cells)
        return [None if cell is None else scalars.divide(cell, whole) for cell in cells]
    spans = [span(index, order, window) for index in range(len(cells))]
    if name in ("first_value", "last_value"):
        return [edge(name, cells[first:last]) for first, last in spans]
    if name not in AGGREGATES:
        raise Unsupported(f"the operator {name} over a window")
    return [scalars.aggregate(name, value_type, cells[first:last]) for first, last in spans]


def moved(name: str, cells: list[Any], arguments: list[Column]) -> list[Any]:
    offset = arguments[1].values[0] if len(arguments) > 1 and arguments[1].values else 1
    default = arguments[2].values[0] if len(arguments) > 2 and arguments[2].values else None
    if offset <= 0:
        raise failed("domain", "the offset is above 0")
    step = -offset if name == "lag" else offset
    positions = range(step, len(cells) + step)
    return [cells[position] if 0 <= position < len(cells) else default for position in positions]


def edge(name: str, cells: list[Any]) -> Any:
    present = [cell for cell in cells if cell is not None]
    return None if not present else present[0] if name == "first_value" else present[-1]


def span(index: int, order: list[Any], window: dict[str, Any]) -> tuple[int, int]:
    """The first position of the window and the one behind it."""
    if window["limits"] is None:
        if not window["order"]:
            return 0, len(order)
        return 0, max(other for other, key in enumerate(order) if key == order[index]) + 1
    first, last = window["limits"]
    start = 0 if first is None else max(0, index + first)
    end = len(order) if last is None else max(0, index + last + 1)
    return start, max(start, end)
