#!/usr/bin/env python3
"""Writes numeric scripts, the data they run on, and what must come of them.

    python3 specs/conformance/oracle/generate.py SEED COUNT > cases.jsonl
    cargo run -p conformance --bin vtl-oracle -- cases.jsonl

Each line is one case: a script over the data set `D`, the components and rows of `D`, and either the
components and rows of the result or the code of the fault. A number is written `coefficientEexponent`,
normalised, so results are compared digit for digit. The semantics are those of specs/vtl.md, sections
1 to 3, 6 and 11, computed with Python's decimal module and nothing of the engine. The same seed and
count give the same bytes.
"""
import decimal
import json
import pathlib
import random
import sys
from decimal import Decimal as D

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "node/vtl/tests/vectors"))
import decimal128 as arithmetic  # noqa: E402

CONTEXT, EXACT = arithmetic.CONTEXT, arithmetic.EXACT
# Signs and magnitudes are exact: the default would round them to 28 digits.
decimal.setcontext(EXACT)


def fits(value):
    """Whether a whole number has 64 bits."""
    return -2 ** 63 <= value < 2 ** 63


class Fault(Exception):
    """A fault of the data; the code is its text."""


def guarded(compute, *operands):
    try:
        return compute(*operands)
    except arithmetic.Domain:
        raise Fault("domain")
    except decimal.Overflow:
        raise Fault("overflow")
    except (decimal.DivisionByZero, decimal.InvalidOperation):
        raise Fault("division-by-zero")


def integer(value):
    """A whole number of 64 bits."""
    if not fits(value):
        raise Fault("overflow")
    return int(value)


def divide(a, b):
    if b == 0:
        raise Fault("division-by-zero")
    return CONTEXT.divide(a, b)


def modulo(a, b):
    """The exact remainder; when its sign is not that of the divisor, that is added and rounded."""
    if b == 0:
        return a
    if isinstance(a, int):
        return a % b
    low = min(a.as_tuple().exponent, b.as_tuple().exponent)
    x, y = (int(EXACT.scaleb(value, -low)) for value in (a, b))
    rest = abs(x) % abs(y) * (-1 if x < 0 else 1)
    rest = EXACT.scaleb(D(rest), low)
    return rest if rest == 0 or (rest < 0) == (b < 0) else CONTEXT.add(rest, b)


def power(base, exponent):
    if exponent != exponent.to_integral_value(context=EXACT):
        return arithmetic.power(base, exponent)
    if not fits(exponent):
        raise Fault("overflow")
    result, count = D(1), int(exponent)
    for bit in bin(abs(count))[2:] if count else "":
        result = CONTEXT.multiply(result, result)
        if bit == "1":
            result = CONTEXT.multiply(result, base)
    return divide(D(1), result) if count < 0 else result


def cut(rounding):
    def at(value, places):
        unit = D((0, (1,), -places))
        whole = EXACT.divide(value, unit).to_integral_value(rounding, EXACT)
        return CONTEXT.plus(EXACT.multiply(whole, unit))
    return at


ROUND, TRUNC = cut(decimal.ROUND_HALF_UP), cut(decimal.ROUND_DOWN)
CEIL, FLOOR = cut(decimal.ROUND_CEILING), cut(decimal.ROUND_FLOOR)


class Node:
    """An expression: its text, its type, and its value for each row of a mask, operator by operator."""

    def __init__(self, text, kind, apply=None, operands=(), column=None):
        self.text, self.kind, self.apply, self.operands, self.column = text, kind, apply, operands, column

    def values(self, rows, mask):
        if self.column is not None:
            return [self.column(row) if taken else None for row, taken in zip(rows, mask)]
        operands = [operand.values(rows, mask) for operand in self.operands]
        return [guarded(self.apply, *row) if taken else None for row, taken in zip(zip(*operands), mask)]


class If(Node):
    def values(self, rows, mask):
        condition, then, other = self.operands
        truth = [value is True for value in condition.values(rows, mask)]
        yes = then.values(rows, [taken and true for taken, true in zip(mask, truth)])
        no = other.values(rows, [taken and not true for taken, true in zip(mask, truth)])
        return [a if true else b for a, b, true in zip(yes, no, truth)]


def strict(apply):
    return lambda *values: None if None in values else apply(*values)


def same(kinds):
    return "integer" if all(kind == "integer" for kind in kinds) else "number"


def typed(kind, apply):
    """An operator of one type: whole numbers are checked, others are decimals."""
    if kind == "integer":
        return strict(lambda *values: integer(apply[0](*values)))
    return strict(lambda *values: apply[1](*map(D, values)))


def logic(op):
    def three(a, b):
        if op == "and":
            return False if a is False or b is False else None if a is None or b is None else True
        if op == "or":
            return True if a is True or b is True else None if a is None or b is None else False
        return None if a is None or b is None else a != b
    return three


COMPARE = {"=": lambda o: o == 0, "<>": lambda o: o != 0, "<": lambda o: o < 0, "<=": lambda o: o <= 0,
           ">": lambda o: o > 0, ">=": lambda o: o >= 0}


def order(a, b):
    return int(EXACT.compare(D(a), D(b)))


SIGNED = {"+": (lambda a, b: a + b, CONTEXT.add), "-": (lambda a, b: a - b, CONTEXT.subtract),
          "*": (lambda a, b: a * b, CONTEXT.multiply)}
FUNCTIONS = {"sqrt": arithmetic.sqrt, "ln": arithmetic.ln, "exp": arithmetic.exp}
WHOLE = {"round": ROUND, "trunc": TRUNC, "ceil": CEIL, "floor": FLOOR}


class Grammar:
    """Random expressions over the components of `D`."""

    def __init__(self, chance):
        self.chance = chance

    def leaf(self, kind):
        pick = self.chance.randrange
        if pick(3):
            name = self.chance.choice(["N"] if kind == "integer" else ["X", "Y", "N"])
            of = "integer" if name == "N" else "number"
            return Node(name, of, column=lambda row: row[name])
        if kind == "integer" or pick(3) == 0:
            value = pick(10 ** self.chance.choice([1, 1, 2, 5, 18]))
            return Node(str(value), "integer", column=lambda row: value)
        digits = self.chance.choice([1, 2, 3, 8, 17, 30])
        text = str(pick(10 ** digits)).rjust(5, "0")
        point = self.chance.randrange(1, len(text))
        text = text[:point] + "." + text[point:]
        value = D(text)
        return Node(text, "number", column=lambda row: value)

    def expression(self, depth, kind="number"):
        if depth == 0 or self.chance.randrange(8) == 0:
            return self.leaf(kind)
        made = [self.signed, self.sign, self.choice, self.nvl, self.modulo, self.whole]
        if kind == "number":
            made += [self.signed, self.divide, self.power, self.function, self.logarithm, self.places]
        return self.chance.choice(made)(depth - 1, kind)

    def two(self, depth, kind):
        return self.expression(depth, kind), self.expression(depth, kind)

    def signed(self, depth, kind):
        (a, b), op = self.two(depth, kind), self.chance.choice("+-*")
        of = same([a.kind, b.kind])
        return Node(f"({a.text} {op} {b.text})", of, typed(of, SIGNED[op]), (a, b))

    def sign(self, depth, kind):
        a = self.expression(depth, kind)
        text, apply = self.chance.choice([("(-{})", lambda v: -v), ("(+{})", lambda v: v), ("abs({})", abs)])
        return Node(text.format(a.text), a.kind, typed(a.kind, (apply, apply)), (a,))

    def modulo(self, depth, kind):
        a, b = self.two(depth, kind)
        of = same([a.kind, b.kind])
        return Node(f"mod({a.text}, {b.text})", of, typed(of, (modulo, modulo)), (a, b))

    def divide(self, depth, kind):
        a, b = self.two(depth, kind)
        return Node(f"({a.text} / {b.text})", "number", typed("number", (None, divide)), (a, b))

    def power(self, depth, kind):
        a = self.expression(depth, kind)
        exponents = ["0.5", "1.5", "-0.5", "2", "-1", "3", "0", "0.3333", "12", "2.0", "1.01"]
        text = self.chance.choice(exponents)
        magnitude = D(text)
        of = "number" if "." in text else "integer"
        b = Node(f"({text})", of, column=lambda row: magnitude)
        if self.chance.randrange(4) == 0:
            b = self.expression(min(depth, 1), kind)
        return Node(f"power({a.text}, {b.text})", "number", typed("number", (None, power)), (a, b))

    def function(self, depth, kind):
        name, a = self.chance.choice(sorted(FUNCTIONS)), self.expression(depth, kind)
        text = a.text
        if name != "exp" and self.chance.randrange(4):
            a = Node(f"abs({a.text})", a.kind, typed(a.kind, (abs, lambda v: EXACT.abs(v))), (a,))
            text = a.text
        return Node(f"{name}({text})", "number", typed("number", (None, FUNCTIONS[name])), (a,))

    def logarithm(self, depth, kind):
        a = self.expression(depth, kind)
        a = Node(f"abs({a.text})", a.kind, typed(a.kind, (abs, lambda v: EXACT.abs(v))), (a,))
        text = self.chance.choice(["2", "10", "0.5", "1.1", "7", "2.718281828"])
        base = D(text)
        b = Node(text, "number" if "." in text else "integer", column=lambda row: base)
        return Node(f"log({a.text}, {b.text})", "number", typed("number", (None, arithmetic.log)), (a, b))

    def whole(self, depth, kind):
        name, a = self.chance.choice(sorted(WHOLE)), self.expression(depth, "number")
        apply = strict(lambda value: integer(WHOLE[name](D(value), 0)))
        return Node(f"{name}({a.text})", "integer", apply, (a,))

    def places(self, depth, kind):
        name, a = self.chance.choice(["round", "trunc"]), self.expression(depth, kind)
        places = self.chance.randrange(-4, 12)
        apply = strict(lambda value: WHOLE[name](D(value), places))
        return Node(f"{name}({a.text}, {places})", "number", apply, (a,))

    def nvl(self, depth, kind):
        a, b = self.two(depth, kind)
        of = same([a.kind, b.kind])
        return Node(f"nvl({a.text}, {b.text})", of, lambda x, y: y if x is None else x, (a, b))

    def choice(self, depth, kind):
        condition, (a, b) = self.condition(depth), self.two(depth, kind)
        of = same([a.kind, b.kind])
        if self.chance.randrange(5) == 0:
            b, of = Node("null", a.kind, column=lambda row: None), a.kind
        return If(f"(if {condition.text} then {a.text} else {b.text})", of, None, (condition, a, b))

    def condition(self, depth):
        if depth > 0 and self.chance.randrange(4) == 0:
            a, b, op = self.condition(depth - 1), self.condition(depth - 1), self.chance.choice(["and", "or", "xor"])
            return Node(f"({a.text} {op} {b.text})", "boolean", logic(op), (a, b))
        a, b = self.two(min(depth, 1), "number")
        if self.chance.randrange(6) == 0:
            return Node(f"isnull({a.text})", "boolean", lambda x: x is None, (a,))
        if self.chance.randrange(6) == 0:
            c = self.leaf("number")
            between = strict(lambda x, low, high: order(x, low) >= 0 and order(x, high) <= 0)
            return Node(f"between({a.text}, {b.text}, {c.text})", "boolean", between, (a, b, c))
        op = self.chance.choice(sorted(COMPARE))
        return Node(f"({a.text} {op} {b.text})", "boolean", strict(lambda x, y: COMPARE[op](order(x, y))), (a, b))


def aggregate(op, kind, values):
    """An aggregate of the values of one group."""
    values = [value for value in values if value is not None]
    if op == "count":
        return len(values)
    if not values:
        return None
    if op in ("min", "max"):
        return {"min": min, "max": max}[op](values)
    total = D(0)
    for value in values:
        total = EXACT.add(total, D(value))
    if op == "avg":
        return guarded(CONTEXT.divide, total, D(len(values)))
    return integer(total) if kind == "integer" else guarded(CONTEXT.plus, total)


def decimal_of(chance):
    """A number of ordinary size, sometimes of any."""
    digits = chance.choice([1, 2, 3, 5, 8, 12, 18, 25, 34])
    exponent = -chance.randrange(digits + 3)
    if chance.randrange(12) == 0:
        exponent = max(-6176, min(6111, chance.choice([20, -40, 300, -3000, 6100, -6170]) - chance.randrange(80)))
    digits = str(chance.randrange(10 ** digits))
    return D((chance.randrange(3) == 0, tuple(map(int, digits)), exponent))


def rows(chance):
    made = []
    for at in range(chance.randrange(1, 9)):
        row = {"A": at + 1, "G": "abc"[chance.randrange(3)]}
        for name in ("X", "Y"):
            row[name] = None if chance.randrange(9) == 0 else decimal_of(chance)
        size = chance.choice([1, 1, 2, 4, 9, 18])
        row["N"] = None if chance.randrange(9) == 0 else chance.randrange(-10 ** size, 10 ** size)
        made.append(row)
    return made


def shown(value, kind):
    if value is None:
        return None
    if kind == "number":
        return arithmetic.parts(D(value)).replace(",", "E")
    return str(value).lower() if kind == "boolean" else str(value)


def written(value):
    if isinstance(value, D):
        return arithmetic.operand(value).replace(",", "E")
    return None if value is None else str(value)


def calculation(chance, data):
    """`calc` of one or two components, one of which may be a boolean."""
    grammar = Grammar(chance)
    made = [grammar.expression(chance.randrange(1, 5)) for _ in range(chance.randrange(1, 3))]
    if chance.randrange(5) == 0:
        made.append(grammar.condition(2))
    names = [f"R{at}" for at in range(len(made))]
    script = ", ".join(f"{name} := {node.text}" for name, node in zip(names, made))
    script = f"R <- D[calc {script}][keep {', '.join(names)}];"

    def run():
        columns = [node.values(data, [True] * len(data)) for node in made]
        kinds = ["integer", "string"] + [node.kind for node in made]
        found = [[row["A"], row["G"], *values] for row, *values in zip(data, *columns)]
        return ["A", "G", *names], kinds, found
    return script, run


def aggregation(chance, data):
    """`aggr` of one expression by one operator, in groups or over all."""
    node = Grammar(chance).expression(chance.randrange(4))
    op = chance.choice(["sum", "avg", "min", "max", "count"])
    grouped = chance.randrange(3) > 0
    script = f"R <- D[aggr R0 := {op}({node.text}){' group by G' if grouped else ''}];"

    def run():
        values = node.values(data, [True] * len(data))
        kind = {"avg": "number", "count": "integer"}.get(op, node.kind)
        if not grouped:
            return ["R0"], [kind], [[aggregate(op, node.kind, values)]]
        found = []
        for group in sorted({row["G"] for row in data}):
            found.append([group, aggregate(op, node.kind, [v for row, v in zip(data, values) if row["G"] == group])])
        return ["G", "R0"], ["string", kind], found
    return script, run


COMPONENTS = ["A:identifier:integer", "G:identifier:string", "X:measure:number", "Y:measure:number",
              "N:measure:integer"]


def case(chance):
    data = rows(chance)
    script, run = chance.choice([calculation, calculation, aggregation])(chance, data)
    made = {"script": script, "components": COMPONENTS,
            "rows": [[written(value) for value in row.values()] for row in data]}
    try:
        names, kinds, found = run()
        made["names"] = names
        made["result"] = [[shown(value, kind) for value, kind in zip(row, kinds)] for row in found]
    except Fault as fault:
        made["fault"] = str(fault)
    return made


def main():
    if len(sys.argv) != 3 or not all(word.isdigit() for word in sys.argv[1:]):
        sys.exit(__doc__)
    chance = random.Random(int(sys.argv[1]))
    for _ in range(int(sys.argv[2])):
        print(json.dumps(case(chance), separators=(",", ":")))


if __name__ == "__main__":
    main()
