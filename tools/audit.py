"""Install the public audits of GraphQL over HTTP for the tests: `python -m tools.audit`.

The npm packages are exactly those of the lock in `tests/audit`, checked by hash, into a folder that git
ignores. They are for the tests alone; a second run does nothing.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from app.assets.node import AssetsError, find_node

FOLDER: Final = Path(__file__).resolve().parents[1] / "tests" / "audit"
LOCK: Final = FOLDER / "package-lock.json"
PACKAGES: Final = FOLDER / "node_modules"
STAMP: Final = PACKAGES / "seatport-lock.json"
SECONDS_MAX: Final = 300


def main() -> int:
    """Install what is missing or outdated. Returns the exit code; what went wrong is on stderr."""
    with LOCK.open() as lock:  # Two at once: one installs, the other waits and finds it done.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_current():
            return 0
        try:
            install()
        except (AssetsError, subprocess.SubprocessError) as problem:
            told = getattr(problem, "stderr", None) or problem
            print(
                f"audit: {told}\nCheck that npm's registry can be reached, then try again.", file=sys.stderr
            )
            return 1
    print("audit: the audits of GraphQL over HTTP are installed")
    return 0


def is_current() -> bool:
    """Whether the packages of this very lock are there."""
    return STAMP.exists() and STAMP.read_bytes() == LOCK.read_bytes()


def install() -> None:
    """Put the packages of the lock into their folder.

    :raises AssetsError: without a Node.js
    :raises subprocess.SubprocessError: if npm fails
    """
    node = find_node()
    shutil.rmtree(PACKAGES, ignore_errors=True)
    command = [*node.npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(
        command,
        cwd=FOLDER,
        env=os.environ | {"PATH": os.pathsep.join([str(node.node.parent), os.environ.get("PATH", "")])},
        timeout=SECONDS_MAX,
        capture_output=True,
        text=True,
        check=True,
    )
    shutil.copyfile(LOCK, STAMP)


if __name__ == "__main__":
    sys.exit(main())
