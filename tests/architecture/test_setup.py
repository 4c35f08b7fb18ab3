"""The set-up: what it says when the system lacks something, and when it finds that there is nothing to do."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import ROOT
from tools import install, system

NOTHING: frozenset[str] = frozenset()


def absent(*names: str) -> list[system.Need]:
    """The needs whose names start with one of these."""
    return [need for need in system.needs(NOTHING) if need.name.startswith(names)]


def test_this_machine_has_everything() -> None:
    """Where the tests run, every library and program is there: the probes say so of the real ones."""
    without = frozenset(os.environ.get("SEATPORT_WITHOUT", "").split(","))

    assert system.missing(system.needs(without)) == []


def test_a_library_that_is_not_there_is_missing() -> None:
    """The probe of a library really asks the loader."""
    assert system.library_loads("pango-1.0.0")
    assert not system.library_loads("pango-1.0.99")


def test_the_browser_can_be_left_out() -> None:
    """SEATPORT_WITHOUT=browser takes Chromium off the list, and only that."""
    all_names = {need.name for need in system.needs(NOTHING)}

    assert all_names - {need.name for need in system.needs(frozenset({"browser"}))} == {
        "Chromium (for the tests)"
    }
    assert system.unknown_names(frozenset({"browser", "chrome"})) == ["chrome"]


@pytest.mark.parametrize(
    ("manager", "command"),
    [
        (
            "apt",
            (
                "sudo apt-get update && sudo apt-get install --no-install-recommends "
                "libpangoft2-1.0-0 libharfbuzz-subset0 chromium"
            ),
        ),
        ("dnf", "sudo dnf install pango harfbuzz chromium"),
        ("brew", "brew install pango harfbuzz && brew install --cask google-chrome"),
    ],
)
def test_everything_missing_is_in_one_command(manager: str, command: str) -> None:
    """A person is told once, exactly, for the package manager of the machine."""
    lacking = absent("Pango", "HarfBuzz", "Chromium")

    assert system.command_for(manager, lacking) == command
    assert all(need.name in system.advice(manager, lacking) for need in lacking)


def test_an_unknown_system_gets_the_list() -> None:
    """Where no package manager is known, the missing things are named without a command."""
    told = system.advice(None, absent("Pango"))

    assert "Pango" in told
    assert "install pango" not in told


def test_set_up_stops_before_any_download(tmp_path: Path) -> None:
    """With Chromium missing and no right to install, set-up ends with the command and leaves no trace."""
    shutil.copytree(ROOT / "tools", tmp_path / "tools")
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "dnf").touch(mode=0o755)

    answer = subprocess.run(
        [sys.executable, "-B", "-m", "tools.install"],
        cwd=tmp_path,
        env={"PATH": str(programs)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 1
    assert "sudo dnf install chromium" in answer.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bin", "tools"]


def test_an_unknown_word_in_the_setting_is_refused(tmp_path: Path) -> None:
    """SEATPORT_WITHOUT=chrome is a mistake and says so, before anything is looked for."""
    answer = subprocess.run(
        ["sh", ROOT / "tools" / "python.sh", "-m", "tools.install"],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "SEATPORT_WITHOUT": "chrome", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (answer.returncode, answer.stderr) == (
        1,
        "SEATPORT_WITHOUT knows browser and postgres, not chrome.\n",
    )


def test_an_environment_moved_from_elsewhere_is_noticed(tmp_path: Path) -> None:
    """Scripts that start another folder's Python betray an environment that was copied here."""
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    ours.write_text(f"#!{install.VENV}/bin/python\n")
    theirs.write_text("#!/elsewhere/.venv/bin/python\n")

    assert not install.names_another_folder(ours)
    assert install.names_another_folder(theirs)


def test_without_a_python_one_command_is_named(tmp_path: Path) -> None:
    """Where not even Python is there, the shell says what to install, the other packages included."""
    (tmp_path / "dnf").touch(mode=0o755)
    shell = shutil.which("sh")
    assert shell is not None

    answer = subprocess.run(
        [shell, ROOT / "tools" / "python.sh", "-m", "tools.install"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 1
    assert "sudo dnf install python3 pango harfbuzz chromium" in answer.stderr
