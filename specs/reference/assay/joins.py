"""Joins: vtl.md, section 7. Inside a join, components of several operands are called `alias#name`."""

from typing import Any

from .errors import failed
from .tables import Component, Key, Row, Table
from .vtl import Node, Unsupported


def join(node: Node, tables: list[Table]) -> Table:
    aliases, using = node.extra["aliases"], node.extra["using"]
    if node.value not in ("inner_join", "left_join") or None in aliases:
        raise Unsupported(f"{node.value}, or an operand without alias")
    if len(set(aliases)) < len(aliases):
        raise failed("duplicate", "aliases are unique")
    keys = join_keys(tables, using)
    renamed = [qualify(alias, table, tables, keys) for alias, table in zip(aliases, tables)]
    result = renamed[0]
    for table in renamed[1:]:
        result = join_two(result, table, keys, outer=node.value == "left_join")
    result.sort()
    return result


def identifiers(table: Table) -> list[str]:
    return table.names[: table.key_size]


def join_keys(tables: list[Table], using: list[str] | None) -> list[str]:
    """The identifiers that several operands share, or those of `using`."""
    if using is not None:
        return using
    names = [name for table in tables for name in identifiers(table)]
    return [name for name in dict.fromkeys(names) if names.count(name) > 1]


def qualify(alias: str, table: Table, tables: list[Table], keys: list[str]) -> Table:
    """Components of the same name in several operands become `alias#name`."""
    components = []
    for component in table.components:
        shared = sum(component.id in other.names for other in tables) > 1
        if shared and component.id not in keys:
            component = Component(f"{alias}#{component.id}", component.role, component.type)
        components.append(component)
    return Table(components, table.rows)


def join_two(left: Table, right: Table, keys: list[str], outer: bool) -> Table:
    """Rows with equal common keys; `outer` keeps the rows of the first operand without one."""
    common = [name for name in identifiers(left) if name in keys and name in identifiers(right)]
    if not common:
        raise failed("structure", "the operands share no key")
    extra = [name for name in identifiers(right) if name not in common]
    if outer and extra:
        raise Unsupported("a left join with identifiers of the right side only")
    values = right.names[right.key_size :]
    matches = index_by(right, common)
    order = [left.names.index(name) for name in common]
    rows: list[Row] = []
    for row in left.rows:
        found = matches.get(tuple(row[index] for index in order), [])
        for other in found or ([None] if outer else []):
            rows.append(combined(left, right, row, other, extra, values))
    return Table(combined_components(left, right, extra, values), rows)


def index_by(table: Table, names: list[str]) -> dict[Key, list[Row]]:
    order = [table.names.index(name) for name in names]
    result: dict[Key, list[Row]] = {}
    for row in table.rows:
        result.setdefault(tuple(row[index] for index in order), []).append(row)
    return result


def combined(left: Table, right: Table, row: Row, other: Row | None, extra: list[str], values: list[str]) -> Row:
    def cells(names: list[str]) -> list[Any]:
        return [None if other is None else other[right.names.index(name)] for name in names]

    return (*left.key(row), *cells(extra), *row[left.key_size :], *cells(values))


def combined_components(left: Table, right: Table, extra: list[str], values: list[str]) -> list[Component]:
    known = {component.id: component for component in right.components}
    added, rest = [known[name] for name in extra], [known[name] for name in values]
    return [*left.components[: left.key_size], *added, *left.components[left.key_size :], *rest]


def finish(table: Table) -> Table:
    """In the end names are unique, without alias; measures come before attributes."""
    names = [name.rpartition("#")[2] for name in table.names]
    if len(set(names)) < len(names):
        raise failed("duplicate", "names are unique at the end of a join")
    rank = ("identifier", "measure", "attribute")
    order = sorted(range(len(names)), key=lambda index: rank.index(table.components[index].role))
    components = [Component(names[index], table.components[index].role, table.components[index].type) for index in order]
    return Table(components, [tuple(row[index] for index in order) for row in table.rows])
