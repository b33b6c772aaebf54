"""Tables: the data of a content in canonical form (objects.md, content; bundle.md, rule 11)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from . import bounds, cbor, fields
from .chunks import CODINGS, Cell, Column, cuts, decode_columns, encode_chunk
from .decimals import is_normalised
from .errors import Refused
from .ids import DAG_CBOR, Id, id_of
from .objects import Object
from .periods import check_interval, parse_duration

Row = tuple[Cell, ...]
Key = tuple[Cell, ...]
Lookup = Callable[[Id], Object]
Codes = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Component:
    id: str
    role: str
    type: str

    @property
    def is_identifier(self) -> bool:
        return self.role == "identifier"


@dataclass
class Table:
    """Rows in canonical order; a row begins with its key."""

    components: list[Component]
    rows: list[Row]
    codes: Codes = field(default_factory=dict)

    @property
    def key_size(self) -> int:
        return sum(component.is_identifier for component in self.components)

    @property
    def types(self) -> list[str]:
        return [component.type for component in self.components]

    @property
    def names(self) -> list[str]:
        return [component.id for component in self.components]

    def key(self, row: Row) -> Key:
        return row[: self.key_size]

    def by_key(self) -> dict[Key, Row]:
        return {self.key(row): row for row in self.rows}

    def sort(self) -> None:
        self.rows.sort(key=self.key)


def components_of(items: list[dict[str, str]]) -> list[Component]:
    return [Component(item["id"], item["role"], item["type"]) for item in items]


def require(condition: bool, code: str, message: str) -> None:
    if not condition:
        raise Refused(code, message)


def read_content(content: Object, lookup: Lookup) -> Table:
    """The table of a content, every rule checked. Codes: `canonical` and `table`."""
    structure = lookup(content["structure"])
    table = Table(components_of(structure["components"]), [], structure["codes"])
    cells = content["rows"] * len(table.components)
    require(cells <= bounds.CELLS_MAX, "canonical", "more cells than CELLS_MAX")
    for reference in content["chunks"]:
        chunk = lookup(reference["chunk"])
        require(chunk["rows"] == reference["rows"], "canonical", "a chunk has other rows than its content states")
        columns = read_columns(chunk, table.components)
        table.rows += zip(*columns) if columns else [()] * chunk["rows"]
    check_rows(table)
    lengths = [reference["rows"] for reference in content["chunks"]]
    require(cuts(table.types, table.rows) == lengths, "canonical", "a chunk ends elsewhere than the rule says")
    return table


def read_columns(chunk: Object, components: list[Component]) -> list[Column]:
    codings = [next(iter(column)) for column in chunk["columns"]]
    expected = [CODINGS[component.type] for component in components]
    require(codings == expected, "canonical", "columns match their components")
    columns = decode_columns(chunk)
    for component, column in zip(components, columns):
        check_column(component, column)
    return columns


def check_column(component: Component, column: Column) -> None:
    for cell in set(column):
        if cell is None:
            require(not component.is_identifier, "table", "no identifier is null")
        elif component.type == "date":
            require(cell.frequency == "D", "canonical", "a date is a day")
        elif isinstance(cell, str):
            check_text(component.type, cell)


def check_text(value_type: str, cell: str) -> None:
    require(len(cell.encode()) <= bounds.CELL_BYTES_MAX, "table", "a text beyond CELL_BYTES_MAX")
    require(fields.is_text(cell), "table", "a forbidden character in a text")
    if value_type == "time":
        check_interval(cell)
    elif value_type == "duration":
        parse_duration(cell)


def check_rows(table: Table) -> None:
    keys = [table.key(row) for row in table.rows]
    for before, after in zip(keys, keys[1:]):
        require(before < after, "table", "rows ascend by distinct keys")


def check_normalised(table: Table) -> None:
    for row in table.rows:
        for cell in row:
            if isinstance(cell, Decimal):
                require(is_normalised(cell), "canonical", "numbers of results are normalised")


def structure_object(table: Table) -> Object:
    components = [{"id": item.id, "role": item.role, "type": item.type} for item in table.components]
    return {"$type": "structure", "v": 1, "components": components, "codes": table.codes}


def encode_table(table: Table) -> tuple[Id, list[tuple[Id, bytes]]]:
    """The id of the content of a table, and its blocks."""
    blocks: list[tuple[Id, bytes]] = []

    def store(value: Object) -> Id:
        block = cbor.encode(value)
        blocks.append((id_of(DAG_CBOR, block), block))
        return blocks[-1][0]

    structure = store(structure_object(table))
    references, start = [], 0
    for length in cuts(table.types, table.rows):
        chunk = store(encode_chunk(table.types, table.rows[start : start + length]))
        references.append({"chunk": chunk, "rows": length})
        start += length
    content = {"$type": "content", "v": 1, "structure": structure, "rows": len(table.rows), "chunks": references}
    return store(content), blocks


def content_id(table: Table) -> Id:
    return encode_table(table)[0]
