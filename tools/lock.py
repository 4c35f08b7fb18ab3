"""Write the requirement locks: exact versions, hashes for every supported system, and no registry's address.

The resolver lives in a throwaway environment, so that the project's own need not exist. It reads none of this
machine's package settings: a local wheel must not leave a hash that the public registry does not know.
"""

import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESOLVER = "uv>=0.13,<0.14"
FORM = [
    "--universal",
    "--python-version",
    "3.11",
    "--generate-hashes",
    "--no-emit-index-url",
    "--no-emit-find-links",
]
FORM += ["--custom-compile-command", "make lock", "--quiet"]


def main(extra: list[str]) -> int:
    """Write both locks; versions already locked stay unless `--upgrade` is among the extra arguments."""
    with tempfile.TemporaryDirectory(prefix="seatport-lock-") as folder:
        venv.create(folder, with_pip=True)
        programs = Path(folder, "bin")
        run([programs / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", RESOLVER])
        locking: list[str | Path] = [
            programs / "uv",
            "pip",
            "compile",
            "--no-config",
            "pyproject.toml",
            *FORM,
            *extra,
        ]
        run([*locking, "-o", "requirements.txt"])
        run([*locking, "--group", "dev", "-c", "requirements.txt", "-o", "requirements-dev.txt"])
    return 0


def run(command: Sequence[str | Path]) -> None:
    """Run a step in the project's folder, where paths in the locks stay relative."""
    surroundings = {name: value for name, value in os.environ.items() if name != "UV_FIND_LINKS"}
    subprocess.run(command, check=True, cwd=ROOT, env=surroundings)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
