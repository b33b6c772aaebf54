"""Runs recipes: the subset of vtl.md that README.md lists, in decimals of 34 digits.

A data set is a Table, a scalar a Column of one value. A script outside the subset is `not_run`.
"""

from typing import Any

from . import joins, scalars, windows
from .decimals import normalise
from .errors import VerdictError, failed, not_run
from .objects import Object
from .scalars import AGGREGATES, CHANGING, FUNCTIONS, Column, binary, common_type, type_error
from .series import SERIES
from .tables import Component, Key, Row, Table, components_of
from .vtl import Node, Script, Unsupported, parse

Value = Table | Column
SEMANTICS_VERSION = 1
DEFAULT_NAMES = {"boolean": "bool_var", "integer": "int_var", "number": "num_var", "duration": "duration_var"}


def check(recipe: Object) -> None:
    """The check of a recipe without data: a run on tables without rows."""
    run(recipe, {name: Table(components_of(item["components"]), []) for name, item in recipe["inputs"].items()})


def run(recipe: Object, inputs: dict[str, Table]) -> tuple[dict[str, Table], int | None]:
    """The results, and the number of steps where it is known."""
    if recipe["semantics"] != SEMANTICS_VERSION:
        raise not_run("engine", f"semantics of version {recipe['semantics']}")
    try:
        check_inputs(inputs)
        outputs = Engine(parse(recipe["script"]), inputs).run()
    except Unsupported as error:
        raise not_run("engine", str(error)) from None
    if set(outputs) != set(recipe["outputs"]):
        raise failed("outputs", "the script gives other results than the recipe states")
    return {name: canonical(table) for name, table in outputs.items()}, None


def check_inputs(inputs: dict[str, Table]) -> None:
    for table in inputs.values():
        if any(component.role == "viral_attribute" for component in table.components):
            raise Unsupported("viral attributes")


def canonical(table: Table) -> Table:
    """Rows in order, numbers normalised."""
    rows: list[Row] = []
    numbers = [index for index, component in enumerate(table.components) if component.type == "number"]
    for row in table.rows:
        cells = list(row)
        for index in numbers:
            if cells[index] is not None:
                cells[index] = normalise(scalars.rounded(scalars.DECIMAL128.plus, cells[index]))
        rows.append(tuple(cells))
    result = Table(table.components, rows)
    result.sort()
    return result


class Scope:
    """The rows that an expression in a clause sees; in `aggr`, the groups of rows."""

    def __init__(self, table: Table, rows: list[Row], groups: list[list[Row]] | None = None) -> None:
        self.table = table
        self.rows = rows
        self.groups = groups
        self.names = {name: index for index, name in enumerate(table.names)}

    @property
    def size(self) -> int:
        return len(self.rows) if self.groups is None else len(self.groups)

    def column(self, name: str) -> Column:
        index = self.names[name]
        return Column(self.table.components[index].type, [row[index] for row in self.rows])

    def part(self, rows: list[Row]) -> "Scope":
        return Scope(self.table, rows)


class Engine:
    def __init__(self, script: Script, inputs: dict[str, Table]) -> None:
        self.script = script
        self.values: dict[str, Value] = dict(inputs)
        self.statements = {statement.name: statement for statement in script.statements}
        self.running: set[str] = set()
        names = [statement.name for statement in script.statements] + list(inputs)
        if len(set(names)) < len(names):
            raise failed("duplicate", "names are unique")

    def run(self) -> dict[str, Table]:
        outputs = {}
        for statement in self.script.statements:
            value = self.named(statement.name)
            if statement.persistent:
                if not isinstance(value, Table):
                    raise Unsupported("a scalar as a persistent result")
                outputs[statement.name] = value
        return outputs

    def named(self, name: str) -> Value:
        """An input or a result of the script, which is computed when it is first needed."""
        if name in self.values:
            return self.values[name]
        if name not in self.statements:
            raise failed("unknown-name", f"unknown name {name}")
        if name in self.running:
            raise failed("cycle", f"{name} depends on itself")
        self.running.add(name)
        self.values[name] = self.evaluate(self.statements[name].expression)
        return self.values[name]

    # Expressions over data sets and scalars.

    def evaluate(self, node: Node) -> Value:
        method = getattr(self, f"on_{node.kind}", None)
        if method is None:
            raise Unsupported(f"the expression {node.kind}")
        return method(node)

    def table(self, node: Node) -> Table:
        value = self.evaluate(node)
        if not isinstance(value, Table):
            raise type_error("a scalar where a data set is needed")
        return value

    def on_literal(self, node: Node) -> Value:
        return literal(node.value, 1)

    def on_name(self, node: Node) -> Value:
        return self.named(node.value)

    def on_unary(self, node: Node) -> Value:
        return lift(lambda a: scalars.unary(node.value, a), [self.evaluate(node.args[0])])

    def on_binary(self, node: Node) -> Value:
        if node.value in ("in", "not_in"):
            items = [self.evaluate(item) for item in node.args[1].args]
            operands = [self.evaluate(node.args[0]), *items]
            return lift(lambda a, *rest: scalars.member_of(node.value, a, list(rest)), operands, changing=True)
        operands = [self.evaluate(argument) for argument in node.args]
        changing = node.value in ("=", "<>", "<", "<=", ">", ">=")
        return lift(lambda a, b: binary(node.value, a, b), operands, changing)

    def on_member(self, node: Node) -> Value:
        table = self.table(node.args[0])
        if node.value not in table.names:
            raise failed("unknown-name", f"no component {node.value}")
        component = table.components[table.names.index(node.value)]
        if component.role != "measure" or table.key_size == 0:
            raise Unsupported("membership of anything but a measure")
        return select(table, [component.id])

    def on_call(self, node: Node) -> Value:
        name = node.value
        if name in self.script.operators:
            return self.evaluate(expand(self.script, node))
        if "over" in node.extra:
            return self.analytic(node)
        if name in AGGREGATES and node.args:
            return self.aggregate(node)
        if name in SERIES:
            arguments = [self.constant(argument) for argument in node.args[1:]]
            return SERIES[name](self.table(node.args[0]), *arguments)
        if name == "union":
            return union([self.table(argument) for argument in node.args])
        if name in ("intersect", "setdiff"):
            first, second = (self.table(argument) for argument in node.args)
            keys = set(second.by_key())
            return Table(first.components, [row for row in first.rows if (first.key(row) in keys) == (name == "intersect")])
        return lift(self.function(node), [self.evaluate(argument) for argument in operands_of(node)], name in CHANGING)

    def function(self, node: Node) -> Any:
        if node.value == "cast":
            target = node.args[1].value
            return lambda a: scalars.cast(a, target)
        if node.value not in FUNCTIONS:
            raise Unsupported(f"the operator {node.value}")
        return FUNCTIONS[node.value]

    def constant(self, node: Node) -> Any:
        if node.kind == "name" and node.value in ("single", "all"):
            return node.value
        value = self.evaluate(node)
        if not isinstance(value, Column):
            raise type_error("a data set where a scalar is needed")
        return value.values[0]

    def on_if(self, node: Node) -> Value:
        condition = self.evaluate(node.args[0])
        if isinstance(condition, Table):
            raise Unsupported("if over data sets")
        return self.evaluate(node.args[1] if condition.values[0] is True else node.args[2])

    # Aggregates and analytic invocations.

    def aggregate(self, node: Node) -> Table:
        table = self.table(node.args[0])
        if "having" in node.extra:
            raise Unsupported("having over a data set")
        keys = grouping_keys(table, node.extra.get("group"))
        groups = grouped(table, keys)
        measures = [component for component in table.components if component.role == "measure"]
        if node.value == "count":
            components = [*named_components(table, keys), Component("int_var", "measure", "integer")]
            return Table(components, [(*key, len(rows)) for key, rows in groups])
        types = [scalars.aggregate_type(node.value, component.type) for component in measures]
        components = named_components(table, keys)
        components += [Component(item.id, "measure", value_type) for item, value_type in zip(measures, types)]
        rows = []
        for key, members in groups:
            columns = [Scope(table, members).column(component.id) for component in measures]
            rows.append((*key, *(scalars.aggregate(node.value, column.type, column.values) for column in columns)))
        return Table(components, rows)

    def analytic(self, node: Node) -> Table:
        table = self.table(node.args[0])
        names = [component.id for component in table.components if component.role == "measure"]
        columns = []
        for name in names:
            call = Node("call", node.value, (Node("name", name), *node.args[1:]), node.extra)
            columns.append(self.column(call, Scope(table, table.rows)))
        return replace_measures(table, names, columns)

    # Clauses.

    def on_filter(self, node: Node) -> Table:
        table = self.table(node.args[0])
        condition = self.column(node.args[1], Scope(table, table.rows))
        scalars.accept(condition, "boolean")
        return Table(table.components, [row for row, keep in zip(table.rows, condition.values) if keep])

    def on_keep(self, node: Node) -> Table:
        return select(self.table(node.args[0]), node.value)

    def on_drop(self, node: Node) -> Table:
        table = self.table(node.args[0])
        check_names(table, node.value)
        return select(table, [name for name in table.names if name not in node.value])

    def on_rename(self, node: Node) -> Table:
        table = self.table(node.args[0])
        new_names = dict(node.value)
        check_names(table, list(new_names))
        components = [Component(new_names.get(item.id, item.id), item.role, item.type) for item in table.components]
        return Table(components, table.rows)

    def on_sub(self, node: Node) -> Table:
        table = self.table(node.args[0])
        check_names(table, [name for name, _ in node.value])
        fixed = {table.names.index(name): self.constant(value) for name, value in node.value}
        kept = [index for index in range(len(table.components)) if index not in fixed]
        rows = [row for row in table.rows if all(row[index] == value for index, value in fixed.items())]
        return Table([table.components[index] for index in kept], [tuple(row[index] for index in kept) for row in rows])

    def on_calc(self, node: Node) -> Table:
        table = self.table(node.args[0])
        scope = Scope(table, table.rows)
        columns = [(role, name, self.column(value, scope)) for role, name, value in node.value]
        result = table
        for role, name, column in columns:
            result = assign(result, role, name, column)
        result.sort()
        return result

    def on_aggr(self, node: Node) -> Table:
        table = self.table(node.args[0])
        keys = grouping_keys(table, node.extra.get("group"))
        groups = grouped(table, keys)
        scope = Scope(table, [], [rows for _, rows in groups])
        result = Table(named_components(table, keys), [key for key, _ in groups])
        kept = self.column(node.extra["having"], scope).values if "having" in node.extra else [True] * len(groups)
        for role, name, value in node.value:
            result = assign(result, role, name, self.column(value, scope))
        return Table(result.components, [row for row, keep in zip(result.rows, kept) if keep])

    def on_join(self, node: Node) -> Table:
        return joins.join(node, [self.table(operand) for operand in node.args])

    def on_joined(self, node: Node) -> Table:
        return joins.finish(self.table(node.args[0]))

    # Expressions inside clauses.

    def column(self, node: Node, scope: Scope) -> Column:
        if node.kind == "literal":
            return literal(node.value, scope.size)
        if node.kind == "name" or node.kind == "member":
            return self.component(node, scope)
        if node.kind == "unary":
            return scalars.unary(node.value, self.column(node.args[0], scope))
        if node.kind == "binary":
            return self.binary_column(node, scope)
        if node.kind == "if":
            return self.conditional(node, scope)
        if node.kind == "call":
            return self.call_column(node, scope)
        raise Unsupported(f"the expression {node.kind} inside a clause")

    def component(self, node: Node, scope: Scope) -> Column:
        name = f"{node.args[0].value}#{node.value}" if node.kind == "member" else node.value
        if name in scope.names and scope.groups is None:
            return scope.column(name)
        value = self.named(name)
        if isinstance(value, Table):
            raise type_error(f"the data set {name} inside a clause")
        return Column(value.type, value.values * scope.size)

    def binary_column(self, node: Node, scope: Scope) -> Column:
        left = self.column(node.args[0], scope)
        if node.value in ("in", "not_in"):
            if node.args[1].kind != "set":
                raise Unsupported("a named value domain")
            return scalars.member_of(node.value, left, [self.column(item, scope) for item in node.args[1].args])
        return binary(node.value, left, self.column(node.args[1], scope))

    def conditional(self, node: Node, scope: Scope) -> Column:
        """Each branch is evaluated for the rows that take it."""
        if scope.groups is not None:
            raise Unsupported("if in an aggregate")
        condition = self.column(node.args[0], scope)
        scalars.accept(condition, "boolean")
        taken = [value is True for value in condition.values]
        sides = []
        for branch, side in ((node.args[1], True), (node.args[2], False)):
            rows = [row for row, value in zip(scope.rows, taken) if value is side]
            sides.append(self.column(branch, scope.part(rows)))
        then, otherwise = (iter(side.values) for side in sides)
        values = [next(then) if value else next(otherwise) for value in taken]
        return Column(common_type(sides[0].type, sides[1].type), values)

    def call_column(self, node: Node, scope: Scope) -> Column:
        if node.value in self.script.operators:
            return self.column(expand(self.script, node), scope)
        if "over" in node.extra:
            return windows.analytic(self, node, scope)
        if scope.groups is not None and node.value in AGGREGATES:
            return self.aggregate_column(node, scope)
        if node.value == "period_indicator" and not node.args:
            times = [item.id for item in scope.table.components if item.is_identifier and item.type == "time_period"]
            node = Node("call", node.value, (Node("name", times[0]),)) if len(times) == 1 else node
        return self.function(node)(*(self.column(argument, scope) for argument in operands_of(node)))

    def aggregate_column(self, node: Node, scope: Scope) -> Column:
        if not node.args:
            return Column("integer", [len(rows) for rows in scope.groups or []])
        values, value_type = [], self.column(node.args[0], scope.part([])).type
        for rows in scope.groups or []:
            column = self.column(node.args[0], scope.part(rows))
            values.append(scalars.aggregate(node.value, column.type, column.values))
        return Column(scalars.aggregate_type(node.value, value_type), values)


def operands_of(node: Node) -> list[Node]:
    """The operands of a function; `_` at the end is an omitted one."""
    args = [argument for argument in node.args if argument.kind != "type"]
    while args and args[-1].kind == "default":
        args.pop()
    return args


def literal(value: Any, size: int) -> Column:
    types = {bool: "boolean", int: "integer", str: "string", type(None): scalars.ANY}
    return Column(types.get(type(value), "number"), [value] * size)


def expand(script: Script, node: Node) -> Node:
    """The body of an operator with its arguments in place of its parameters."""
    parameters, body = script.operators[node.value]
    bindings = {}
    for index, (name, default) in enumerate(parameters):
        argument = node.args[index] if index < len(node.args) and node.args[index].kind != "default" else default
        if argument is None:
            raise failed("type", f"{node.value} needs {name}")
        bindings[name] = argument
    return substitute(body, bindings)


def substitute(node: Node, bindings: dict[str, Node]) -> Node:
    if node.kind == "name":
        return bindings.get(node.value, node)
    value = node.value
    if node.kind in ("calc", "aggr"):
        value = [(role, name, substitute(item, bindings)) for role, name, item in value]
    return Node(node.kind, value, tuple(substitute(argument, bindings) for argument in node.args), node.extra)


# Data sets.


def check_names(table: Table, names: list[str]) -> None:
    for name in names:
        if name not in table.names:
            raise failed("unknown-name", f"no component {name}")


def select(table: Table, names: list[str]) -> Table:
    """Identifiers and the components named."""
    check_names(table, names)
    kept = [index for index, item in enumerate(table.components) if item.is_identifier or item.id in names]
    components = [table.components[index] for index in kept]
    return Table(components, [tuple(row[index] for index in kept) for row in table.rows])


def named_components(table: Table, names: list[str]) -> list[Component]:
    return [component for component in table.components if component.id in names]


def grouping_keys(table: Table, group: Any) -> list[str]:
    identifiers = table.names[: table.key_size]
    if group is None:
        return []
    kind, names, _ = group
    for name in names:
        if name not in identifiers:
            raise failed("unknown-name", f"no identifier {name}")
    return [name for name in identifiers if (name in names) == (kind == "by")]


def grouped(table: Table, keys: list[str]) -> list[tuple[Key, list[Row]]]:
    """Groups in the order of their keys; without keys one, even of no rows."""
    indices = [table.names.index(name) for name in keys]
    groups: dict[Key, list[Row]] = {} if keys else {(): []}
    for row in table.rows:
        groups.setdefault(tuple(row[index] for index in indices), []).append(row)
    return sorted(groups.items(), key=lambda group: group[0])


def assign(table: Table, role: str | None, name: str, column: Column) -> Table:
    """Adds a component, or replaces it in its position."""
    if column.type == scalars.ANY:
        raise type_error(f"{name} is always null")
    if name in table.names:
        index = table.names.index(name)
        old = table.components[index]
        if old.is_identifier:
            raise failed("structure", f"the identifier {name} cannot be recalculated")
        if role is not None and role != old.role:
            return assign(drop_at(table, index), role, name, column)
        components = [*table.components[:index], Component(name, old.role, column.type), *table.components[index + 1 :]]
        rows = [(*row[:index], value, *row[index + 1 :]) for row, value in zip(table.rows, column.values)]
        return Table(components, rows)
    role = role or "measure"
    rank = ("identifier", "measure", "attribute")
    index = sum(rank.index(component.role) <= rank.index(role) for component in table.components)
    if role == "identifier" and None in column.values:
        raise failed("null-identifier", f"{name} is null")
    components = [*table.components[:index], Component(name, role, column.type), *table.components[index:]]
    return Table(components, [(*row[:index], value, *row[index:]) for row, value in zip(table.rows, column.values)])


def drop_at(table: Table, index: int) -> Table:
    components = [*table.components[:index], *table.components[index + 1 :]]
    return Table(components, [(*row[:index], *row[index + 1 :]) for row in table.rows])


def replace_measures(table: Table, names: list[str], columns: list[Column]) -> Table:
    """Identifiers with new measures; attributes are dropped."""
    components = table.components[: table.key_size]
    components = components + [Component(name, "measure", column.type) for name, column in zip(names, columns)]
    values = zip(*(column.values for column in columns)) if columns else iter([()] * len(table.rows))
    return Table(components, [(*table.key(row), *cells) for row, cells in zip(table.rows, values)])


def union(tables: list[Table]) -> Table:
    """Of data points with one key, that of the leftmost data set is kept."""
    first = tables[0]
    rows: dict[Key, Row] = {}
    for table in tables:
        if {item.id: item for item in table.components} != {item.id: item for item in first.components}:
            raise Unsupported("a union of other components")
        order = [table.names.index(name) for name in first.names]
        for row in table.rows:
            moved = tuple(row[index] for index in order)
            rows.setdefault(first.key(moved), moved)
    result = Table(first.components, list(rows.values()))
    result.sort()
    return result


def lift(function: Any, operands: list[Value], changing: bool = False) -> Value:
    """An operator on scalars or, measure by measure, on data sets (section 4)."""
    tables = [operand for operand in operands if isinstance(operand, Table)]
    if not tables:
        return function(*operands)
    names = measure_names(tables[0])
    if changing and len(names) != 1:
        raise type_error("one measure is needed")
    for table in tables[1:]:
        if set(measure_names(table)) != set(names):
            raise failed("structure", "measures of other names")
    keys, matches = paired(tables)
    columns = []
    for name in names:
        rows = iter(range(len(tables)))
        arguments = [
            measure_column(operand, name, matches, next(rows)) if isinstance(operand, Table)
            else Column(operand.type, operand.values * len(matches))
            for operand in operands
        ]
        columns.append(function(*arguments))
    if changing:
        names = [DEFAULT_NAMES[columns[0].type]]
    largest = max(tables, key=lambda table: table.key_size)
    return replace_measures(Table(largest.components[: largest.key_size], keys), names, columns)


def measure_names(table: Table) -> list[str]:
    return [component.id for component in table.components if component.role == "measure"]


def measure_column(table: Table, name: str, matches: list[tuple[Row, ...]], position: int) -> Column:
    index = table.names.index(name)
    return Column(table.components[index].type, [match[position][index] for match in matches])


def paired(tables: list[Table]) -> tuple[list[Row], list[tuple[Row, ...]]]:
    """The keys of data points with equal common identifiers, and the rows of each table."""
    largest = max(tables, key=lambda table: table.key_size)
    identifiers = largest.names[: largest.key_size]
    lookups = []
    for table in tables:
        names = table.names[: table.key_size]
        if not set(names) <= set(identifiers):
            raise failed("structure", "the identifiers of one operand must contain those of the other")
        lookups.append(([identifiers.index(name) for name in names], table.by_key()))
    keys, matches = [], []
    for row in largest.rows:
        key = largest.key(row)
        match = tuple(rows.get(tuple(key[index] for index in order)) for order, rows in lookups)
        if None not in match:
            keys.append(key)
            matches.append(match)
    return keys, matches
