"""The arrows of the design: who may import whom, and where each framework lives."""

import shutil
import site
import subprocess
import sys
from pathlib import Path

import graphql
import pytest

from tests.architecture.source import ROOT, files, imported, modules

HOMES = {
    "aiosqlite": ("app.store",),
    "alembic": ("app.store",),
    "asyncpg": ("app.store",),
    "graphql": ("app.api",),
    "jinja2": ("app.documents",),
    "litestar": ("app.api", "app.assembly", "app.main"),
    "prometheus_client": ("app.metrics",),
    "sqlalchemy": ("app.store",),
    "strawberry": ("app.api", "app.main"),
    "uvicorn": ("app.cli", "app.main"),
    "weasyprint": ("app.documents",),
}


ACROSS_CUSTOMERS = "app.store.system"
MAY_ASK_ACROSS = (
    "app.assembly",
    "app.commands",
    "app.deliveries",
    "app.demo_explorer",
    "app.sessions",
    "app.store",
    "app.worker",
)


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the contracts of pyproject.toml over the `app` in a folder, in a process of its own: it silences
    every logger of the one it runs in.
    """
    command = [
        sys.executable,
        "-c",
        "import sys; from importlinter.cli import lint_imports as run; sys.exit(run(no_cache=True))",
    ]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def copied(tmp_path: Path, *, path: str, line: str) -> Path:
    """A copy of the program's Python in which one file has one more line."""
    for module in modules("app"):
        copy = tmp_path / module.path
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(module.text, encoding="utf-8")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / path).open("a", encoding="utf-8") as changed:
        changed.write(f"\n{line}\n")
    return tmp_path


def test_imports_follow_the_contracts() -> None:
    """Data flows one way, and the billing core is pure: every contract in pyproject.toml is kept."""
    answer = lint_imports(ROOT)

    assert answer.returncode == 0, answer.stdout


@pytest.mark.parametrize(
    ("path", "line", "contract"),
    [
        ("app/billing/__init__.py", "import sqlalchemy", "The billing core is pure"),
        ("app/billing/__init__.py", "from app.clock import wall_clock", "Data flows one way"),
        ("app/assets/__init__.py", "import app.main", "Data flows one way"),
    ],
)
def test_a_wrong_import_breaks_a_contract(tmp_path: Path, path: str, line: str, contract: str) -> None:
    """The contracts notice what they are there to notice: one wrong line breaks the one that forbids it."""
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "main.py").touch()

    answer = lint_imports(copied(tmp_path, path=path, line=line))

    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert f"{contract} BROKEN" in answer.stdout


def test_each_framework_has_a_home() -> None:
    """Tables stay in the store, types in the api, pages in the documents: no framework leaks."""
    strays = [
        f"{module.path}:{line} imports {name}"
        for module in modules("app")
        for line, name in imported(module.tree)
        if name.partition(".")[0] in HOMES
        and not f"{module.name}.".startswith(tuple(f"{home}." for home in HOMES[name.partition(".")[0]]))
    ]

    assert strays == []


def test_only_a_few_may_look_across_customers() -> None:
    """Look-ups across customers are for signing in, the worker and the commands; no verb reaches them."""
    strays = [
        f"{module.path}:{line}"
        for module in modules("app")
        for line, name in imported(module.tree)
        if f"{name}.".startswith(f"{ACROSS_CUSTOMERS}.") and not module.name.startswith(MAY_ASK_ACROSS)
    ]

    assert strays == []


def test_graphql_folder_holds_no_python() -> None:
    """`graphql/` is data: with a Python file in it, `import graphql` could find the folder instead."""
    assert [
        path for path in files() if path.startswith("graphql/") and Path(path).suffix in {".py", ".pyi"}
    ] == []


def test_import_graphql_is_the_library() -> None:
    """`import graphql` from the repository's root is graphql-core, installed among the other packages."""
    assert graphql.__file__ is not None, "the folder shadows the library"
    assert any(Path(graphql.__file__).is_relative_to(packages) for packages in site.getsitepackages())
