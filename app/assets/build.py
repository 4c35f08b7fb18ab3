"""Builds the explorer's bundle and copies the fonts: `python -m app.assets.build`. The npm packages are
exactly those of the lock file; the fonts must have the SHA-256 in `fonts.toml`. A stamp over all inputs makes
the second run return at once. The packages are removed afterwards: 450 MB of them make 34 MB of assets.
"""

import fcntl
import gzip
import hashlib
import json
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from app.assets import DIST, FONTS, HERE
from app.assets.node import AssetsError, Node, find_node

PACKAGES: Final = HERE / "node_modules"
STAMP: Final = DIST / "stamp.json"
INPUTS: Final = ("*.py", "*.toml", "*.js", "package.json", "package-lock.json", "explorer/*")
INSTALL_SECONDS_MAX: Final = 900
BUILD_SECONDS_MAX: Final = 300
COMPRESSED_SUFFIXES: Final = frozenset({".js", ".css", ".ttf", ".md"})


@dataclass(frozen=True, slots=True)
class FontFile:
    """One font file: where it comes from, and the SHA-256 its bytes must have."""

    family: str
    weight: int
    package: str
    path: str
    sha256: str

    @property
    def name(self) -> str:
        """The name under `fonts/`, like `Inter_400Regular.ttf`."""
        return Path(self.path).name


def main() -> None:
    """Build what is missing or outdated; say what is done."""
    try:
        with _one_build_at_a_time():
            build()
    except AssetsError as problem:
        click.echo(f"assets: {problem}", err=True)
        sys.exit(1)


def build() -> None:
    """Make `dist/` and `fonts/` current.

    Raises AssetsError; an outdated but whole `dist/` is only replaced by a whole new one.
    """
    inputs = digest_of_inputs()
    if is_current(inputs):
        click.echo("assets: up to date")
        return
    node = find_node()
    try:
        click.echo("assets: installing the npm packages of the lock file …")
        _install(node)
        click.echo("assets: building the explorer …")
        _build_explorer(node)
        click.echo("assets: copying the fonts …")
        _copy_fonts()
    finally:
        shutil.rmtree(PACKAGES, ignore_errors=True)
    _write_stamp(inputs)
    click.echo(f"assets: done, {_megabytes(DIST)} MB explorer and {_megabytes(FONTS)} MB fonts")


def digest_of_inputs() -> str:
    """One SHA-256 over the name and content of every file that the result depends on."""
    digest = hashlib.sha256()
    for path in sorted({path for pattern in INPUTS for path in HERE.glob(pattern)}):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(HERE)} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def is_current(inputs: str) -> bool:
    """Whether the last build had the same inputs and all its files are still there, with their sizes."""
    try:
        stamp = json.loads(STAMP.read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return False
    if stamp["inputs"] != inputs:
        return False
    files: dict[str, int] = stamp["files"]
    return all(_size(HERE / name) == size for name, size in files.items())


def font_files() -> tuple[FontFile, ...]:
    """Every font file that `fonts.toml` names, in its order."""
    families = tomllib.loads((HERE / "fonts.toml").read_text("utf-8"))["family"]
    return tuple(
        FontFile(family["name"], file["weight"], family["package"], file["path"], file["sha256"])
        for family in families
        for file in family["files"]
    )


def _install(node: Node) -> None:
    command = [*node.npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    _run(
        node,
        command,
        seconds_max=INSTALL_SECONDS_MAX,
        advice="Check that npm's registry can be reached (`npm ping`), then run `make install` again.",
    )


def _build_explorer(node: Node) -> None:
    fresh = DIST.with_name("dist.new")
    shutil.rmtree(fresh, ignore_errors=True)
    vite = PACKAGES / "vite" / "bin" / "vite.js"
    command = [str(node.node), str(vite), "build", "--outDir", fresh.name, "--logLevel", "error"]
    _run(node, command, seconds_max=BUILD_SECONDS_MAX, advice="This is a fault in app/assets/explorer.")
    for path in sorted(fresh.iterdir()):
        if path.suffix in COMPRESSED_SUFFIXES:
            path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))
    shutil.rmtree(DIST, ignore_errors=True)
    fresh.rename(DIST)


def _copy_fonts() -> None:
    FONTS.mkdir(exist_ok=True)
    fonts = font_files()
    for font in fonts:
        content = (PACKAGES / font.package / font.path).read_bytes()
        found = hashlib.sha256(content).hexdigest()
        if found != font.sha256:
            raise AssetsError(
                f"{font.package}/{font.path} has SHA-256 {found}; fonts.toml expects {font.sha256}."
            )
        (FONTS / font.name).write_bytes(content)
    # The Open Font License asks that its text goes wherever the font goes.
    for family, package in {(font.family, font.package) for font in fonts}:
        shutil.copyfile(PACKAGES / package / "LICENSE_FONT", FONTS / f"{family.replace(' ', '')}-OFL.txt")


def _write_stamp(inputs: str) -> None:
    built = [path for folder in (DIST, FONTS) for path in sorted(folder.iterdir())]
    files = {str(path.relative_to(HERE)): path.stat().st_size for path in built}
    STAMP.write_text(json.dumps({"inputs": inputs, "files": files}, indent=1), "utf-8")


def _run(node: Node, command: Sequence[str], *, seconds_max: int, advice: str) -> None:
    try:
        done = node.run(command, timeout_seconds=seconds_max)
    except subprocess.TimeoutExpired:
        raise AssetsError(f"`{' '.join(command)}` took more than {seconds_max} seconds. {advice}") from None
    if done.returncode != 0:
        output = "\n".join((done.stdout + done.stderr).splitlines()[-20:])
        raise AssetsError(f"`{' '.join(command)}` failed (exit {done.returncode}):\n{output}\n{advice}")


@contextmanager
def _one_build_at_a_time() -> Iterator[None]:
    with (HERE / ".build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def _megabytes(folder: Path) -> str:
    return f"{sum(path.stat().st_size for path in folder.iterdir()) / 1e6:.1f}"


if __name__ == "__main__":
    main()
