"""Comparison of tables: bundle.md, rules 13, 16 and section 6."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from .chunks import Cell
from .decimals import parts, same_digits
from .periods import Period
from .tables import Key, Row, Table

JsonObject = dict[str, Any]
# The place of a cell in a document, by key and component.
Positions = dict[tuple[Key, str], JsonObject]


@dataclass
class Tally:
    """What the comparisons of one release found so far."""

    first: JsonObject | None = None
    count: int = 0
    cells: int = 0
    read: int = 0

    def differ(self, cells: int, divergence: JsonObject) -> None:
        self.count += cells
        if self.first is None:
            self.first = divergence


def cell_json(cell: Cell) -> JsonObject:
    if isinstance(cell, bool):
        return {"boolean": cell}
    if isinstance(cell, int):
        return {"integer": cell}
    if isinstance(cell, Decimal):
        return {"number": list(parts(cell))}
    return {"period": str(cell)} if isinstance(cell, Period) else {"text": cell}


def divergence(table: Any, key: Key = (), component: str | None = None, **cells: Cell) -> JsonObject:
    """`cells` are `published` and `computed`; a null cell is absent."""
    result: JsonObject = {"table": table, "key": [cell_json(cell) for cell in key]}
    if component is not None:
        result["component"] = component
    for side, cell in cells.items():
        if cell is not None:
            result[side] = cell_json(cell)
    return result


def value_cells(table: Table) -> int:
    return len(table.components) - table.key_size


def all_cells(table: Table) -> int:
    return len(table.rows) * value_cells(table)


def compare(tally: Tally, name: Any, published: Table, computed: Table) -> int:
    """Compares by value; the number of cells that were compared."""
    if published.components != computed.components:
        larger = max(all_cells(published), all_cells(computed))
        tally.differ(max(1, larger), divergence(name))
        return larger
    left, right = published.by_key(), computed.by_key()
    compared = 0
    for key in sorted(set(left) | set(right)):
        compared += compare_point(tally, name, published, left.get(key), right.get(key))
    return compared


def compare_point(tally: Tally, name: Any, table: Table, published: Row | None, computed: Row | None) -> int:
    cells = value_cells(table)
    if published is None or computed is None:
        row = published or computed or ()
        side = "computed" if published is None else "published"
        value = next((cell for cell in row[table.key_size :] if cell is not None), None)
        tally.differ(max(1, cells), divergence(name, table.key(row), **{side: value}))
        return max(1, cells)
    for index in range(table.key_size, len(table.components)):
        if published[index] != computed[index]:
            found = {"published": published[index], "computed": computed[index]}
            tally.differ(1, divergence(name, table.key(published), table.components[index].id, **found))
    return cells


def same_rows(a: Table, b: Table) -> bool:
    """Whether all numbers of equal tables have the same digits."""
    for left, right in zip(a.rows, b.rows):
        for x, y in zip(left, right):
            if isinstance(x, Decimal) and isinstance(y, Decimal) and not same_digits(x, y):
                return False
    return True


def compare_dataset(tally: Tally, name: Any, published: Table, given: Table, positions: Positions) -> None:
    """Rule 13: the same structure with its code lists, the same rows, the same digits."""
    before, had_first = tally.count, tally.first is not None
    tally.read += compare(tally, name, published, given)
    if tally.count == before:
        if published.codes != given.codes or not same_rows(published, given):
            tally.differ(1, divergence(name))
    elif not had_first and tally.first is not None:
        add_position(tally.first, published, given, positions)


def add_position(first: JsonObject, published: Table, given: Table, positions: Positions) -> None:
    component = first.get("component")
    for row in (*published.rows, *given.rows):
        key = given.key(row)
        if [cell_json(cell) for cell in key] == first["key"]:
            names = [component] if component else [item.id for item in given.components[given.key_size :]]
            place = next((positions[key, item] for item in names if (key, item) in positions), None)
            if place:
                first["position"] = place
            return
