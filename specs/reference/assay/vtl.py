"""A parser for the subset of VTL that the engine runs. Anything else is `Unsupported`."""

import re
from dataclasses import dataclass, field
from typing import Any

from .decimals import parse_number
from .errors import failed


class Unsupported(Exception):
    """A script outside this subset: the verdict is `not_run`, never a guess."""


@dataclass(frozen=True)
class Node:
    """An expression. `value` is its literal, name, operator or function."""

    kind: str
    value: Any = None
    args: tuple["Node", ...] = ()
    extra: dict[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Statement:
    name: str
    persistent: bool
    expression: Node


@dataclass
class Script:
    statements: list[Statement]
    operators: dict[str, tuple[list[tuple[str, Node | None]], Node]]


TOKEN = re.compile(
    r"""(?P<space>\s+|/\*.*?\*/|//[^\n]*)
      | (?P<number>\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+)
      | (?P<integer>\d+)
      | (?P<string>"(?:[^"]|"")*")
      | (?P<quoted>'[^']*')
      | (?P<name>[A-Za-z][A-Za-z0-9_.]*)
      | (?P<symbol>:=|<-|<>|<=|>=|\|\||[-+*/=<>()\[\]{},;\#:_])""",
    re.VERBOSE | re.DOTALL,
)
PRECEDENCE = {
    **dict.fromkeys(("or", "xor"), 1),
    "and": 2,
    **dict.fromkeys(("=", "<>", "<", "<=", ">", ">=", "in", "not_in"), 3),
    **dict.fromkeys(("+", "-", "||"), 4),
    **dict.fromkeys(("*", "/"), 5),
}
UNARY = ("+", "-", "not")
CLAUSES = ("calc", "filter", "keep", "drop", "rename", "sub", "aggr")
ROLES = ("identifier", "measure", "attribute")
JOINS = ("inner_join", "left_join", "full_join", "cross_join")
TYPES = ("string", "integer", "number", "boolean", "time_period", "date", "time", "duration")
END = ("end", "")


def tokens(text: str) -> list[tuple[str, str]]:
    result, offset = [], 0
    while offset < len(text):
        match = TOKEN.match(text, offset)
        if not match:
            raise Unsupported(f"unexpected character {text[offset]!r}")
        if match.lastgroup != "space":
            result.append((str(match.lastgroup), match.group()))
        offset = match.end()
    return result


class Parser:
    def __init__(self, text: str) -> None:
        self.tokens = tokens(text)
        self.index = 0

    def peek(self, ahead: int = 0) -> tuple[str, str]:
        index = self.index + ahead
        return self.tokens[index] if index < len(self.tokens) else END

    def next(self) -> tuple[str, str]:
        token = self.peek()
        if token == END:
            raise failed("syntax", "the script ends inside a statement")
        self.index += 1
        return token

    def at(self, *words: str) -> bool:
        kind, text = self.peek()
        return kind in ("name", "symbol") and text in words

    def accept(self, *words: str) -> bool:
        if self.at(*words):
            self.index += 1
            return True
        return False

    def expect(self, word: str) -> None:
        if self.peek() == END:
            raise failed("syntax", f"expected {word!r} at the end")
        if not self.accept(word):
            raise Unsupported(f"expected {word!r} before {self.peek()[1]!r}")

    def name(self) -> str:
        kind, text = self.next()
        if kind == "quoted":
            return text[1:-1]
        if kind != "name":
            raise Unsupported(f"expected a name before {text!r}")
        return text

    def listed(self, item: Any) -> list[Any]:
        items = [item()]
        while self.accept(","):
            items.append(item())
        return items

    # Statements.

    def script(self) -> Script:
        script = Script([], {})
        while self.peek() != END:
            if self.accept("define"):
                self.operator(script)
            else:
                script.statements.append(self.statement())
            self.expect(";")
        return script

    def statement(self) -> Statement:
        name = self.name()
        persistent = self.accept("<-")
        if not persistent:
            self.expect(":=")
        return Statement(name, persistent, self.expression())

    def operator(self, script: Script) -> None:
        self.expect("operator")
        name = self.name()
        self.expect("(")
        parameters = [] if self.at(")") else self.listed(self.parameter)
        self.expect(")")
        if self.accept("returns"):
            self.skip_type()
        self.expect("is")
        script.operators[name] = (parameters, self.expression())
        self.expect("end")
        self.expect("operator")

    def parameter(self) -> tuple[str, Node | None]:
        name = self.name()
        self.skip_type()
        return name, self.expression() if self.accept("default") else None

    def skip_type(self) -> None:
        """Types are not checked here; `dataset { … }` and the like are not read."""
        self.name()
        if self.at("{", "<", "[") or (self.at("not") and self.peek(1)[1] == "null"):
            raise Unsupported("a restricted or structured type")

    # Expressions.

    def expression(self, weakest: int = 0) -> Node:
        left = self.unary()
        while self.peek()[0] != "string" and PRECEDENCE.get(self.peek()[1], 0) > weakest:
            operator = self.next()[1]
            left = Node("binary", operator, (left, self.expression(PRECEDENCE[operator])))
        return left

    def unary(self) -> Node:
        if self.at(*UNARY):
            operator = self.next()[1]
            return Node("unary", operator, (self.unary(),))
        return self.postfix(self.primary())

    def postfix(self, node: Node) -> Node:
        while True:
            if self.accept("#"):
                node = Node("member", self.name(), (node,))
            elif self.accept("["):
                node = self.clause(node)
                self.expect("]")
            else:
                return node

    def primary(self) -> Node:
        kind, text = self.peek()
        if kind in ("integer", "number", "string"):
            self.index += 1
            return literal(kind, text)
        if self.accept("("):
            node = self.expression()
            self.expect(")")
            return node
        if self.accept("{"):
            items = self.listed(self.expression)
            self.expect("}")
            return Node("set", None, tuple(items))
        if self.accept("_"):
            return Node("default")
        if kind == "name" and text in ("true", "false", "null"):
            self.index += 1
            return Node("literal", {"true": True, "false": False, "null": None}[text])
        if self.accept("if"):
            return self.conditional()
        if self.accept("case"):
            return self.case()
        name = self.name()
        return self.call(name) if kind == "name" and self.accept("(") else Node("name", name)

    def conditional(self) -> Node:
        condition = self.expression()
        self.expect("then")
        then = self.expression()
        self.expect("else")
        return Node("if", None, (condition, then, self.expression()))

    def case(self) -> Node:
        branches = []
        while self.accept("when"):
            condition = self.expression()
            self.expect("then")
            branches.append((condition, self.expression()))
        self.expect("else")
        node = self.expression()
        for condition, then in reversed(branches):
            node = Node("if", "case", (condition, then, node))
        return node

    def call(self, name: str) -> Node:
        if name in JOINS:
            return self.join(name)
        args: list[Node] = []
        extra: dict[str, Any] = {}
        if not self.at(")"):
            args.append(self.argument())
            while self.accept(","):
                args.append(self.argument())
        if self.at("group"):
            extra["group"] = self.grouping()
        if self.accept("having"):
            extra["having"] = self.expression()
        if self.accept("over"):
            extra["over"] = self.window()
        self.expect(")")
        return Node("call", name, tuple(args), extra)

    def argument(self) -> Node:
        if self.peek()[1] in TYPES and self.peek(1)[1] in (")", ","):
            return Node("type", self.next()[1])
        return self.expression()

    def grouping(self) -> tuple[str, list[str], Node | None]:
        self.expect("group")
        kind = self.name()
        if kind not in ("by", "except"):
            raise Unsupported(f"group {kind}")
        names = self.listed(self.name)
        if self.at("time_agg"):
            raise Unsupported("time_agg in a grouping")
        return kind, names, None

    def window(self) -> dict[str, Any]:
        self.expect("(")
        window: dict[str, Any] = {"partition": None, "order": [], "limits": None}
        if self.accept("partition"):
            kind = self.name()
            window["partition"] = (kind, [] if kind == "except" and self.accept("all") else self.listed(self.name))
        if self.accept("order"):
            self.expect("by")
            window["order"] = self.listed(self.order_item)
        if self.at("data", "range"):
            window["limits"] = self.limits()
        self.expect(")")
        return window

    def order_item(self) -> tuple[str, bool]:
        name = self.name()
        descending = self.accept("desc")
        if not descending:
            self.accept("asc")
        return name, descending

    def limits(self) -> tuple[int | None, int | None]:
        """Offsets of the first and the last data point from the current one; None is unbounded."""
        if self.accept("range"):
            raise Unsupported("a window of range")
        self.expect("data")
        self.expect("points")
        self.expect("between")
        first = self.limit()
        self.expect("and")
        return first, self.limit()

    def limit(self) -> int | None:
        if self.accept("current"):
            self.expect("data")
            self.expect("point")
            return 0
        if self.accept("unbounded"):
            self.name()
            return None
        kind, text = self.next()
        if kind != "integer":
            raise Unsupported("the limit of a window")
        return -int(text) if self.name() == "preceding" else int(text)

    # Clauses and joins.

    def clause(self, operand: Node) -> Node:
        kind = self.name()
        if kind not in CLAUSES:
            raise Unsupported(f"the clause {kind}")
        if kind == "filter":
            return Node("filter", None, (operand, self.expression()))
        if kind in ("keep", "drop"):
            return Node(kind, self.listed(self.component), (operand,))
        if kind == "rename":
            return Node(kind, self.listed(self.renaming), (operand,))
        if kind == "sub":
            return Node(kind, self.listed(self.fixing), (operand,))
        items = self.listed(self.assignment)
        extra: dict[str, Any] = {}
        if kind == "aggr" and self.at("group"):
            extra["group"] = self.grouping()
        if kind == "aggr" and self.accept("having"):
            extra["having"] = self.expression()
        return Node(kind, items, (operand,), extra)

    def component(self) -> str:
        """A component, in a join perhaps `alias#name`."""
        name = self.name()
        return f"{name}#{self.name()}" if self.accept("#") else name

    def renaming(self) -> tuple[str, str]:
        old = self.component()
        self.expect("to")
        return old, self.name()

    def fixing(self) -> tuple[str, Node]:
        name = self.name()
        self.expect("=")
        return name, self.expression(3)

    def assignment(self) -> tuple[str | None, str, Node]:
        role = self.next()[1] if self.at(*ROLES) and self.peek(1)[1] != ":=" else None
        name = self.name()
        self.expect(":=")
        return role, name, self.expression()

    def join(self, kind: str) -> Node:
        operands = self.listed(self.join_operand)
        using = self.listed(self.name) if self.accept("using") else None
        node = Node("join", kind, tuple(operand for operand, _ in operands))
        aliases = [alias or (operand.value if operand.kind == "name" else None) for operand, alias in operands]
        node.extra.update(aliases=aliases, using=using)
        while self.at(*CLAUSES):
            node = self.clause(node)
        self.expect(")")
        return Node("joined", None, (node,))

    def join_operand(self) -> tuple[Node, str | None]:
        operand = self.expression()
        return operand, self.name() if self.accept("as") else None


def literal(kind: str, text: str) -> Node:
    if kind == "string":
        return Node("literal", text[1:-1].replace('""', '"'))
    return Node("literal", int(text) if kind == "integer" else parse_number(text))


def parse(text: str) -> Script:
    return Parser(text).script()
