"""What the operating system must provide, how to see whether it does, and how to get it.

Looked for by loading the library or finding the program, as Seatport itself will, never by asking a package
manager: it may come from anywhere. All that is missing is named at once, in one command, before any download.
"""

import ctypes
import importlib.util
import os
import platform
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PANGO = ("gobject-2.0.0", "pango-1.0.0", "pangoft2-1.0.0", "harfbuzz.0", "fontconfig.1")
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM_MACOS = ("Chromium.app/Contents/MacOS/Chromium", "Google Chrome.app/Contents/MacOS/Google Chrome")
LIBRARY_FOLDERS_MACOS = (Path("/opt/homebrew/lib"), Path("/usr/local/lib"))
WITHOUT = frozenset({"browser", "postgres"})


@dataclass(frozen=True)
class Need:
    """One thing the system must provide: its name for people, its packages, and how to see it."""

    name: str
    packages: Mapping[str, str]
    is_there: Callable[[], bool]


def needs(without: frozenset[str]) -> tuple[Need, ...]:
    """Everything to look for; "browser" in `without` leaves Chromium out, which only the tests use."""
    python = f"python3.{sys.version_info.minor}"
    everywhere = (
        Need(
            "Python's venv module",
            {"apt": f"{python}-venv", "dnf": "python3", "brew": f"python@3.{sys.version_info.minor}"},
            lambda: (
                importlib.util.find_spec("venv") is not None
                and importlib.util.find_spec("ensurepip") is not None
            ),
        ),
        Need(
            "Pango (draws the PDFs' text)",
            {"apt": "libpangoft2-1.0-0", "dnf": "pango", "brew": "pango"},
            lambda: all(map(library_loads, PANGO)),
        ),
        Need(
            "HarfBuzz's subset library (without it PDFs are slow and differ from run to run)",
            {"apt": "libharfbuzz-subset0", "dnf": "harfbuzz", "brew": "harfbuzz"},
            lambda: library_loads("harfbuzz-subset.0"),
        ),
    )
    if "browser" in without:
        return everywhere
    chromium = {"apt": "chromium", "dnf": "chromium", "brew": "--cask google-chrome"}
    return (*everywhere, Need("Chromium (for the tests)", chromium, has_chromium))


def library_loads(name: str) -> bool:
    """Whether the dynamic loader finds a library, given as name and ABI number: `pango-1.0.0`."""
    stem, _, abi = name.rpartition(".")
    if platform.system() != "Darwin":
        return loads(f"lib{stem}.so.{abi}")
    file = f"lib{stem}.{abi}.dylib"
    return loads(file) or any((folder / file).exists() for folder in LIBRARY_FOLDERS_MACOS)


def loads(file: str) -> bool:
    """Whether the dynamic loader takes exactly this file name."""
    try:
        ctypes.CDLL(file)
    except OSError:
        return False
    return True


def has_chromium() -> bool:
    """Whether a Chromium or Chrome that can be driven without a screen is installed."""
    return any(map(shutil.which, CHROMIUM)) or any(
        Path("/Applications", app).exists() for app in CHROMIUM_MACOS
    )


def missing(wanted: Iterable[Need]) -> list[Need]:
    """The needs that are not met now."""
    return [need for need in wanted if not need.is_there()]


def package_manager() -> str | None:
    """`apt`, `dnf` or `brew`, by what this machine has; None when it is none of them."""
    if platform.system() == "Darwin":
        return "brew"
    for name, program in (("apt", "apt-get"), ("dnf", "dnf")):
        if shutil.which(program):
            return name
    return None


def packages(manager: str, absent: Sequence[Need]) -> list[str]:
    """The packages of the needs, each once, in their order."""
    return list(dict.fromkeys(need.packages[manager] for need in absent))


def command_for(manager: str, absent: Sequence[Need]) -> str:
    """One shell line that installs everything absent."""
    wanted = packages(manager, absent)
    if manager == "brew":
        casks = [name for name in wanted if name.startswith("--cask")]
        formulas = [name for name in wanted if name not in casks]
        parts = [f"brew install {' '.join(formulas)}"] if formulas else []
        return " && ".join([*parts, *(f"brew install {cask}" for cask in casks)])
    if manager == "dnf":
        return f"sudo dnf install {' '.join(wanted)}"
    return f"sudo apt-get update && sudo apt-get install --no-install-recommends {' '.join(wanted)}"


def root_prefix() -> list[str] | None:
    """What makes a command run as root without a question: nothing, `sudo -n`, or None when neither does."""
    if os.geteuid() == 0:
        return []
    with suppress(OSError):
        if subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0:
            return ["sudo", "-n"]
    return None


def install_by_apt(prefix: Sequence[str], wanted: Sequence[str]) -> bool:
    """Install packages without questions; what apt says goes to stderr. Returns whether apt was content."""
    options = ["-q", "-y", "--no-install-recommends"]
    steps = (
        [*prefix, "apt-get", "update", "-q"],
        [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", *options, *wanted],
    )
    for step in steps:
        print(f"  {shlex.join(step)}", flush=True)
        if subprocess.run(step, check=False, stdin=subprocess.DEVNULL, stdout=sys.stderr).returncode != 0:
            return False
    return True


def unknown_names(without: frozenset[str]) -> list[str]:
    """Names in SEATPORT_WITHOUT that mean nothing."""
    return sorted(without - WITHOUT)


def provide(without: frozenset[str]) -> str | None:
    """See to it that the system has everything. None when it has; otherwise what the person must be told."""
    absent = missing(needs(without))
    if not absent:
        return None
    manager = package_manager()
    prefix = root_prefix() if manager == "apt" else None
    if prefix is not None:
        print("Installing what the system lacks:", ", ".join(need.name for need in absent), flush=True)
        install_by_apt(prefix, packages("apt", absent))
        absent = missing(absent)
    return advice(manager, absent) if absent else None


def advice(manager: str | None, absent: Sequence[Need]) -> str:
    """What is missing, and the one command that gets it."""
    listed = "\n".join(f"  - {need.name}" for need in absent)
    if manager is None:
        return (
            f"These are missing; install them with this system's package manager, then make again:\n{listed}"
        )
    return f"These are missing:\n{listed}\nRun this, then make again:\n  {command_for(manager, absent)}"
