"""The size budget. The tail is what hurts a reader, so the tail is what is measured."""

import ast
from statistics import quantiles

from tests.architecture.source import ROOT, files, functions, modules

FUNCTION_LINES_MAX = 70
FUNCTION_LINES_P90 = 25
FILE_LINES_MAX = 400
SOURCE = (".css", ".html", ".js", ".jsx", ".py", ".sh")
REVISIONS = "app/store/migrations/versions/"  # A revision is one long list, written once.


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """From `def` to the last line of the body, the docstring included."""
    assert function.end_lineno is not None
    return function.end_lineno - function.lineno + 1


def measured(folder: str) -> list[tuple[int, str]]:
    """Length and place of every function under a folder, longest first."""
    return sorted(
        (
            (lines_of(function), f"{module.path}:{function.lineno} {function.name}")
            for module in modules(folder)
            if not module.path.startswith(REVISIONS)
            for function in functions(module.tree)
        ),
        reverse=True,
    )


def test_no_function_is_longer_than_a_screen() -> None:
    """No function in the program, its tests or its tools has more than 70 lines."""
    lengths = [*measured("app"), *measured("tests"), *measured("tools")]

    assert [length for length in lengths if length[0] > FUNCTION_LINES_MAX] == []


def test_nine_functions_of_ten_are_short() -> None:
    """Nine of ten functions of the program have at most 25 lines."""
    lengths = measured("app")

    assert quantiles([lines for lines, _ in lengths], n=10)[-1] <= FUNCTION_LINES_P90, lengths[:40]


def test_no_file_is_longer_than_400_lines() -> None:
    """No source file of the program, its templates, tests or tools has more than 400 lines."""
    folders = ("app/", "templates/", "tests/", "tools/")
    sources = [
        path
        for path in files()
        if path.startswith(folders)
        and path.endswith(SOURCE)
        and "/golden/" not in path
        and not path.startswith(REVISIONS)
    ]
    lengths = {path: len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in sources}

    assert {path: lines for path, lines in lengths.items() if lines > FILE_LINES_MAX} == {}
