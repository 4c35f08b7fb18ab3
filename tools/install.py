"""Set Seatport up in its own folder: system packages, virtual environment, explorer, fonts, audits.

What the system lacks is found before anything is downloaded. The virtual environment gets what the lock
names, checked by hash. A stamp in it keeps a digest of all it depends on and of the packages there:
a second run does nothing.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

from tools import system

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "seatport-install"
LOCK = ROOT / "requirements-dev.txt"
INPUTS = (LOCK, ROOT / "pyproject.toml", Path(__file__))
ASSETS = ROOT / "app" / "assets" / "build.py"
AUDIT = ROOT / "tests" / "audit" / "package-lock.json"


def main() -> int:
    """Do what is left to do. Returns the exit code; what went wrong is on stderr."""
    started = time.monotonic()
    without = frozenset(filter(None, os.environ.get("SEATPORT_WITHOUT", "").split(",")))
    if unknown := system.unknown_names(without):
        return refuse(f"SEATPORT_WITHOUT knows browser and postgres, not {', '.join(unknown)}.")
    if wanting := system.provide(without):
        return refuse(wanting)
    try:
        with Path(
            __file__
        ).open() as this:  # Two makes at once: one sets up, the other waits and finds it done.
            fcntl.flock(this, fcntl.LOCK_EX)
            worked = make_environment()
            if ASSETS.exists():
                run(PYTHON, "-m", "app.assets.build")
            if AUDIT.exists():
                run(PYTHON, "-m", "tools.audit")
    except subprocess.CalledProcessError as failed:
        return refuse(f"Set-up stopped: `{' '.join(map(str, failed.cmd))}` ended with {failed.returncode}.")
    seconds = f"{time.monotonic() - started:.1f} s"
    print(
        f"Seatport is set up ({seconds})."
        if worked
        else f"Seatport is already set up; nothing to do ({seconds})."
    )
    return 0


def make_environment() -> bool:
    """Bring `.venv` to what the lock says. Returns whether there was anything to do."""
    usable = is_usable()
    if usable and STAMP.exists() and STAMP.read_text() == digest():
        return False
    if not usable:
        print(f"Making the virtual environment {VENV.name} with Python {sys.version.split()[0]}.", flush=True)
        run(sys.executable, "-m", "venv", "--clear", VENV)
    STAMP.unlink(missing_ok=True)
    print("Installing the locked packages; the first time takes a minute or two.", flush=True)
    pip("--require-hashes", "-r", LOCK)
    # The build tool is in the lock too, so building our own package downloads nothing more.
    pip("--no-deps", "--no-build-isolation", "--no-index", "-e", ROOT)
    STAMP.write_text(digest())
    return True


def is_usable() -> bool:
    """Whether `.venv` is an environment with pip, of a Python that is new enough, made for this folder."""
    probe = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    if (
        not PYTHON.exists()
        or subprocess.run([PYTHON, "-I", "-c", probe], check=False, capture_output=True).returncode
    ):
        return False
    return not any(names_another_folder(script) for script in PYTHON.parent.iterdir() if script.is_file())


def names_another_folder(script: Path) -> bool:
    """Whether a script starts with the Python of another environment: then this one was moved here."""
    with script.open("rb") as content:
        first = content.readline(1024)
    return first.startswith(b"#!") and b"python" in first and str(VENV).encode() not in first


def digest() -> str:
    """One number for everything the environment depends on, and for the packages found in it."""
    packages = sorted(path.name for path in VENV.glob("lib/python3.*/site-packages/*.dist-info"))
    whole = hashlib.sha256("\n".join([str(ROOT), *packages]).encode())
    for path in INPUTS:
        whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def pip(*arguments: str | Path) -> None:
    """Install by the environment's own pip, without questions."""
    run(PYTHON, "-m", "pip", "install", "-qq", "--no-input", "--disable-pip-version-check", *arguments)


def run(*command: str | Path) -> None:
    """Run a step in the project's folder.

    :raises subprocess.CalledProcessError: if it fails; it has said why on stderr
    """
    subprocess.run(command, check=True, cwd=ROOT, stdin=subprocess.DEVNULL)


def refuse(why: str) -> int:
    """Say why set-up cannot go on; the exit code for it."""
    print(why, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
