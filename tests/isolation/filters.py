"""Every place of the program where a statement is held to a customer, and the same place without.

A filter is a comparison with `….customer_id` in a function of `app.store`, or the customer among the columns
by which `keyed` and `bulk` find rows. One is removed by giving the function's code another that was compiled
without it; whoever holds the function, by whatever name, then runs that.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, Final

import app.store

FOLDER: Final = Path(app.store.__file__).parent
ACROSS: Final = {
    "system",
    "run_batch",
    "backlog",
    "criterion",
    "raw_criterion",
    "scope",
    "policies",
    "inspection",
}
"""Modules that look at several customers, by design, and those of the other two layers."""
OWNER: Final = "customer_id"
TRUE: Final = ast.parse("__import__('sqlalchemy').true()", mode="eval").body


@dataclass(frozen=True, slots=True)
class Filter:
    """One comparison, or one column of a key: the `number`-th of a function or of a module's constant."""

    module: str
    name: str
    number: int
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}[{self.number}] {self.text}"


def every_filter() -> list[Filter]:
    """All filters, in the order of their files."""
    return [
        Filter(path.stem, name, number, node.lineno, ast.unparse(node))
        for path in sorted(FOLDER.glob("*.py"))
        if path.stem not in ACROSS
        for name, holder in _holders(path)
        for number, node in enumerate(_filters(holder))
    ]


def _holders(path: Path) -> Iterator[tuple[str, ast.stmt]]:
    """The functions of a module, its constants, and the methods of its classes."""
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id, node
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            yield node.target.id, node
        elif isinstance(node, ast.ClassDef):
            yield from (
                (f"{node.name}.{each.name}", each) for each in node.body if isinstance(each, ast.FunctionDef)
            )


def _filters(holder: ast.stmt) -> list[Any]:
    return [node for node in ast.walk(holder) if _is_comparison(node) or _is_key(node)]


def _is_comparison(node: ast.AST) -> bool:
    return isinstance(node, ast.Compare) and any(
        isinstance(side, ast.Attribute) and side.attr == OWNER for side in (node.left, *node.comparators)
    )


def _is_key(node: ast.AST) -> bool:
    """`("customer_id", *by)`: the columns by which rows are found."""
    starred = isinstance(node, ast.Tuple) and any(isinstance(each, ast.Starred) for each in node.elts)
    first = node.elts[0] if starred else None  # type: ignore[attr-defined]
    return isinstance(first, ast.Constant) and first.value == OWNER


class _Without(ast.NodeTransformer):
    """Leaves one filter out."""

    def __init__(self, left_out: ast.AST) -> None:
        self.left_out = left_out

    def generic_visit(self, node: ast.AST) -> ast.AST:
        if node is not self.left_out:
            return super().generic_visit(node)
        if isinstance(node, ast.Tuple):
            return ast.Tuple(node.elts[1:], ast.Load())
        return TRUE


@contextmanager
def without(one: Filter) -> Iterator[None]:
    """The program without one of its filters."""
    module = import_module(f"app.store.{one.module}")
    holder = next(holder for name, holder in _holders(FOLDER / f"{one.module}.py") if name == one.name)
    changed = _Without(_filters(holder)[one.number]).visit(holder)
    with _replaced(module, one.name, ast.fix_missing_locations(changed)):
        yield


@contextmanager
def noted(seen: set[tuple[str, str]]) -> Iterator[None]:
    """The program, which notes of which functions with filters it ran."""
    undo = []
    for module_name, name in sorted({(each.module, each.name) for each in every_filter()}):
        module = import_module(f"app.store.{module_name}")
        found = _found(module, name)
        if isinstance(found, FunctionType):
            undo.append((found, found.__code__))
            holder: Any = next(
                holder for each, holder in _holders(FOLDER / f"{module_name}.py") if each == name
            )
            found.__globals__["__seen__"] = seen
            note = ast.parse(f"__seen__.add(({module_name!r}, {name!r}))").body
            holder.body[:0] = note
            found.__code__ = _code(ast.fix_missing_locations(holder), found)
    try:
        yield
    finally:
        for function, code in undo:
            function.__code__ = code


@contextmanager
def _replaced(module: ModuleType, name: str, holder: ast.stmt) -> Iterator[None]:
    found = _found(module, name)
    if isinstance(found, FunctionType):
        code = found.__code__
        found.__code__ = _code(holder, found)
        try:
            yield
        finally:
            found.__code__ = code
        return
    space, before = dict(vars(module)), {name: found}
    exec(compile(ast.Module([holder], []), module.__file__ or "", "exec"), space)  # noqa: S102
    for other, made in _holders(Path(str(module.__file__))):
        uses = any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(made))
        if uses and other != name and not isinstance(made, ast.FunctionDef):
            before[other] = getattr(module, other)
            exec(compile(ast.Module([made], []), module.__file__ or "", "exec"), space)  # noqa: S102
    for each in before:
        setattr(module, each, space[each])
    try:
        yield
    finally:
        for each, was in before.items():
            setattr(module, each, was)


def _found(module: ModuleType, name: str) -> Any:
    found: Any = module
    for part in name.split("."):
        found = getattr(found, part)
    return getattr(found, "__wrapped__", found)


def _code(holder: ast.stmt, like: FunctionType) -> CodeType:
    """The code of a function, compiled anew in place."""
    if isinstance(holder, ast.FunctionDef):
        holder.decorator_list = []
    lines: Any = ast.parse("from __future__ import annotations").body
    whole = compile(ast.Module([*lines, holder], []), like.__code__.co_filename, "exec")
    return next(
        each for each in whole.co_consts if isinstance(each, CodeType) and each.co_name == like.__name__
    )
