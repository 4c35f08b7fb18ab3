"""House rules that no linter knows, as checks of the syntax tree. Each is tried on lines that break it."""

import ast
import re
from collections.abc import Callable, Iterator

import pytest
from graphql import GraphQLSchema, build_schema, is_specified_scalar_type

from tests.architecture.source import ROOT, Module, calls, files, imported, modules

CLOCK = re.compile(
    r"(^|\.)(datetime|date|func)\.(now|utcnow|today|current_timestamp|current_date)$"
    r"|(^|\.)time\.(time|time_ns|localtime|gmtime)$"
    r"|(^|\.)uuid\.uuid1$"
)
CLOCK_IMPORTS = {"time.time", "time.time_ns", "time.localtime", "time.gmtime", "uuid.uuid1"}
CLOCK_HOME = "app/clock.py"
COMMIT_HOMES = {"app/store/transaction.py"}
PURE = {
    "__future__", "abc", "base64", "bisect", "calendar", "collections", "dataclasses", "datetime", "decimal",
    "enum", "fractions", "functools", "hashlib", "hmac", "itertools", "json", "math", "operator", "re",
    "string", "types", "typing", "unicodedata", "uuid", "zoneinfo",
}  # fmt: skip
IMPURE_CALLS = {"eval", "exec", "float", "input", "open", "print", "round"}  # round: halves would go to even.

Rule = Callable[[Module], Iterator[tuple[int, str]]]


def reads_the_clock(module: Module) -> Iterator[tuple[int, str]]:
    """Calls that read the wall clock, of Python or of the database."""
    yield from ((line, name) for line, name in calls(module.tree) if CLOCK.search(name))
    yield from ((line, name) for line, name in imported(module.tree) if name in CLOCK_IMPORTS)
    for node in ast.walk(module.tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and "CURRENT_TIMESTAMP" in node.value
        ):
            yield node.lineno, "CURRENT_TIMESTAMP"


def commits(module: Module) -> Iterator[tuple[int, str]]:
    """Calls that end a transaction for good."""
    return ((line, name) for line, name in calls(module.tree) if name.endswith(".commit"))


def is_not_pure(module: Module) -> Iterator[tuple[int, str]]:
    """What billing may not use: floats, built-ins that touch the world, async, foreign imports."""
    yield from ((line, name) for line, name in calls(module.tree) if name in IMPURE_CALLS)
    for line, name in imported(module.tree):
        if name.partition(".")[0] not in PURE and not f"{name}.".startswith("app.billing."):
            yield line, f"import {name}"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
            yield node.lineno, f"float {node.value}"
        elif isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith):
            yield node.lineno, "async"


def broken(rule: Rule, folder: str, *, but: set[str] | frozenset[str] = frozenset()) -> list[str]:
    """Where the modules under a folder break a rule."""
    return [
        f"{module.path}:{line} {what}"
        for module in modules(folder)
        if module.path not in but
        for line, what in rule(module)
    ]


def test_only_the_clock_module_reads_the_clock() -> None:
    """Time is an argument: nothing but app/clock.py asks Python or the database what time it is."""
    assert broken(reads_the_clock, "app", but={CLOCK_HOME}) == []


def test_only_the_transaction_commits() -> None:
    """A transaction belongs to the store's door: no other module of the program commits."""
    assert broken(commits, "app", but=COMMIT_HOMES) == []


def test_billing_is_pure() -> None:
    """The rules have no float, no async, no input or output, and import only pure standard modules."""
    assert broken(is_not_pure, "app/billing") == []


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        (reads_the_clock, "now = datetime.now(UTC)"),
        (reads_the_clock, "now = datetime.datetime.utcnow()"),
        (reads_the_clock, "today = date.today()"),
        (reads_the_clock, "stamp = time.time_ns()"),
        (reads_the_clock, "from time import time"),
        (reads_the_clock, "Column(default=func.now())"),
        (reads_the_clock, "text('select CURRENT_TIMESTAMP')"),
        (commits, "session.commit()"),
        (commits, "get_session().commit()"),
        (is_not_pure, "half = 0.5"),
        (is_not_pure, "half = float(text)"),
        (is_not_pure, "cents = round(price)"),
        (is_not_pure, "async def decide(): ..."),
        (is_not_pure, "import os"),
        (is_not_pure, "from app.store import engine"),
        (is_not_pure, "from app import store"),
        (is_not_pure, "import sqlalchemy as sa"),
    ],
)
def test_each_rule_notices_what_breaks_it(rule: Rule, line: str) -> None:
    """A rule that lets its own bad example through guards nothing."""
    assert list(rule(Module("app/example.py", line, ast.parse(line)))) != []


def floats_of(schema: GraphQLSchema) -> list[str]:
    """Names of the schema's types that are, or print as, a Float."""
    return [
        name for name, kind in schema.type_map.items() if name == "Float" and is_specified_scalar_type(kind)
    ]


def test_the_contract_knows_no_float() -> None:
    """Amounts and rates are exact: no field or argument of a printed schema is a Float."""
    schemas = [path for path in files() if path.startswith("graphql/") and path.endswith("schema.graphql")]

    assert {path: floats_of(build_schema((ROOT / path).read_text(encoding="utf-8"))) for path in schemas} == {
        path: [] for path in schemas
    }


def test_a_float_in_a_schema_is_noticed() -> None:
    """The check above sees a Float in an argument that no field returns."""
    assert floats_of(build_schema("type Query { amount(rate: Float): String }")) == ["Float"]
