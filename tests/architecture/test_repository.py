"""What the repository holds and what it must not: folders, locks, secrets, silent tests."""

import ast
import json
import re
import subprocess
import tomllib
from pathlib import PurePosixPath

import pytest

from tests.architecture.source import ROOT, files, functions, modules

FOLDERS = {".ci", "app", "graphql", "templates", "tests", "tools"}
TOP_FILES = {
    ".gitignore",
    "LICENSE",
    "Makefile",
    "README.md",
    "pyproject.toml",
    "requirements-dev.txt",
    "requirements.txt",
}
TEXT_BYTES_MAX = 2_000_000
ADDRESS = re.compile(
    r"[a-z+]+://|--(extra-)?index-url|--find-links|(^|[\s\"'=])(/|~/|\.\./|[A-Z]:\\)[\w.-]", re.MULTILINE
)
SECRET = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|\bAKIA[0-9A-Z]{16}\b"
    r"|\bgh[opsu]_[A-Za-z0-9]{36}\b"
    r"|\bgithub_pat_[A-Za-z0-9_]{60,}"
    r"|\bglpat-[A-Za-z0-9_-]{20}\b"
    r"|\b(sk|rk)_live_[A-Za-z0-9]{16,}"
    r"|\bxox[abprs]-[A-Za-z0-9-]{10,}"
    r"|\b(npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{50,})"
    r"|[a-z]+://[^\s/:@{}$<>]+:[^\s/:@{}$<>]+@(?![\w.-]*\b(example|invalid|localhost|test|127)\b)[\w-]+\.\w"
)
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)(?:\[[a-z,]+\])?==([^\s;]+)", re.MULTILINE)


def lock_text(name: str) -> str:
    """One requirement lock."""
    return (ROOT / name).read_text(encoding="utf-8")


def texts() -> dict[str, str]:
    """Every tracked file that is text, by path."""
    found: dict[str, str] = {}
    for path in files():
        content = (ROOT / path).read_bytes()
        if len(content) <= TEXT_BYTES_MAX and b"\0" not in content:
            found[path] = content.decode("utf-8")
    return found


def test_the_top_level_is_the_one_designed() -> None:
    """The root holds the six folders and the few files everybody knows, and nothing else."""
    folders = {PurePosixPath(path).parts[0] for path in files() if "/" in path}

    assert folders <= FOLDERS
    assert {path for path in files() if "/" not in path} <= TOP_FILES


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_a_requirement_lock_names_no_address(name: str) -> None:
    """A lock works with every registry and mirror: it holds no address, no option for one, and no path."""
    assert [line for line in lock_text(name).splitlines() if ADDRESS.search(line)] == []


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://example.org/simple",
        "click @ file:///wheels/click.whl",
        "    # from /opt/wheels",
        "-e ../click",
        "--find-links wheels",
    ],
)
def test_an_address_in_a_lock_is_noticed(line: str) -> None:
    """Each form in which an address could slip into a lock is seen."""
    assert ADDRESS.search(line)


def test_npm_locks_name_no_address() -> None:
    """The lock of npm pins by integrity hash and leaves the choice of registry to the machine."""
    for path in files():
        if path.endswith("package-lock.json"):
            packages = json.loads((ROOT / path).read_text(encoding="utf-8"))["packages"]
            assert [name for name, package in packages.items() if "resolved" in package] == []
            assert [name for name, package in packages.items() if name and "integrity" not in package] == []


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_locked_package_has_hashes(name: str) -> None:
    """Each package is pinned to one version and checked by SHA-256."""
    entries = re.split(r"\n(?=[a-z0-9])", lock_text(name))[1:]

    assert [
        entry.splitlines()[0] for entry in entries if not PIN.match(entry) or "--hash=sha256:" not in entry
    ] == []
    assert entries


def test_both_locks_agree() -> None:
    """What runs in production runs in the tests: the larger lock repeats every pin of the smaller one."""
    small, large = (
        dict(PIN.findall(lock_text(name))) for name in ("requirements.txt", "requirements-dev.txt")
    )

    assert small.items() <= large.items()


def test_the_locks_hold_what_the_project_asks_for() -> None:
    """Every dependency in pyproject.toml is locked; otherwise `make lock` was forgotten."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for name, asked in (
        ("requirements.txt", project["project"]["dependencies"]),
        ("requirements-dev.txt", project["dependency-groups"]["dev"]),
    ):
        wanted = {match[0] for requirement in asked if (match := re.match(r"[a-z0-9-]+", requirement))}
        assert wanted <= dict(PIN.findall(lock_text(name))).keys()


def test_nothing_tracked_looks_like_a_secret() -> None:
    """No tracked file holds a private key, a well-known form of token, or an address with a password."""
    assert [
        f"{path}: {match[0][:12]}…" for path, text in texts().items() if (match := SECRET.search(text))
    ] == []


@pytest.mark.parametrize(
    "parts",
    [
        ("-----BEGIN RSA PRIVATE ", "KEY-----"),
        ("AKIA", "Z7" * 8),
        ("ghp_", "a1" * 18),
        ("sk_live_", "a1" * 12),
        ("postgresql://seatport:", "hush@db.seatport.io/books"),
    ],
)
def test_a_secret_is_noticed(parts: tuple[str, str]) -> None:
    """Each form of secret is seen; the examples stand in two parts, or this file would hold them."""
    assert SECRET.search("".join(parts))


def test_nothing_tracked_is_built_or_foreign() -> None:
    """Bundles, fonts, databases and packages are made at set-up or at run time, never committed."""
    made = (".ttf", ".otf", ".woff", ".woff2", ".whl", ".gz", ".db", ".sqlite", ".pyc", ".min.js")

    assert [path for path in files() if path.endswith(made) or "node_modules/" in path] == []


def test_every_test_says_what_it_promises() -> None:
    """Each test function has a docstring that is a sentence."""
    silent = [
        f"{module.path}:{function.lineno} {function.name}"
        for module in modules("tests")
        for function in functions(module.tree)
        if function.name.startswith("test_") and "." not in (ast.get_docstring(function) or "")
    ]

    assert silent == []


def test_make_test_runs_every_test_folder() -> None:
    """A folder of tests is run by `make test` in its first part, or is that of the proofs or benchmarks."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"][
        "ini_options"
    ]
    holding = {
        "/".join(PurePosixPath(path).parts[:2])
        for path in files()
        if path.startswith("tests/") and PurePosixPath(path).name.startswith("test_") and path.endswith(".py")
    }

    assert holding - {"tests/benchmarks", "tests/proofs"} <= set(settings["testpaths"])


def test_the_scripts_ci_runs_are_executable() -> None:
    """`.ci/run` is tracked with the right to be executed."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "--stage", ".ci/run"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )

    assert listed.stdout.startswith("100755 ")
