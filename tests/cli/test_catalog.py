"""`seatport catalog apply`, and `seatport catalog presets`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.services.catalog_policies import presets
from app.services.demo.past import CATALOG
from tests.cli.conftest import Seatport
from tests.services.catalogs import SMALL, changed


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with a valid catalog."""
    path = tmp_path / "catalog.toml"
    path.write_text(SMALL, "utf-8")
    return path


def test_a_catalog_is_applied_once(seatport: Seatport, file: Path) -> None:
    """The first time its price is new, the second time there is nothing to change."""
    first, second = seatport("catalog", "apply", str(file)), seatport("catalog", "apply", str(file))

    assert (first.exit_code, first.stdout) == (0, "On offer now: 1 plans with 1 prices, of which 1 new.\n")
    assert (second.exit_code, second.stdout) == (0, "Nothing to change: this catalog is on offer already.\n")
    assert first.stderr == second.stderr == ""


def test_all_that_is_wrong_is_said_and_nothing_changes(seatport: Seatport, file: Path) -> None:
    """Two mistakes are two lines with their places, and a last one; the old catalog stays on offer."""
    assert seatport("catalog", "apply", str(file)).exit_code == 0
    wrong = changed(
        'currency = "USD"', 'currency = "USX"', changed('unit_amount = "15.00"', "unit_amount = 15.0")
    )
    file.write_text(wrong, "utf-8")

    result = seatport("catalog", "apply", str(file))

    assert (result.exit_code, result.stdout) == (1, "")
    lines = result.stderr.splitlines()
    assert lines[0].startswith("plans.team.prices[0].currency: 'USX' is no ISO 4217 currency code.")
    assert lines[1].startswith("plans.team.prices[0].seats.editor.unit_amount: Write the number as text")
    assert lines[2] == f"Error: {file}: 2 things are wrong; nothing was changed."
    file.write_text(SMALL, "utf-8")
    assert seatport("catalog", "apply", str(file)).stdout.startswith("Nothing to change")


def test_warnings_do_not_stop_it(seatport: Seatport) -> None:
    """The demo's own catalog is applied, with the warning that one of its plans can be milked."""
    result = seatport("catalog", "apply", str(CATALOG))

    assert result.exit_code == 0
    assert result.stderr.startswith("Warning: plans.team.prices[0].decrease.modes: ")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe", "is not UTF-8 text: byte 0 is not"),
        (b"#" * 1_000_001, "is larger than 1000000 bytes"),
        (b"[seller", "one thing is wrong"),
    ],
)
def test_what_is_no_catalog_is_told(seatport: Seatport, file: Path, content: bytes, message: str) -> None:
    """Bytes that are no text, a file that is too large, a text that is not TOML."""
    file.write_bytes(content)

    result = seatport("catalog", "apply", str(file))

    assert result.exit_code == 1
    assert message in result.stderr.splitlines()[-1]


def test_a_file_that_is_not_there_is_wrong_usage(seatport: Seatport, tmp_path: Path) -> None:
    """A path that leads nowhere, or to a folder."""
    for path in (tmp_path / "none.toml", tmp_path):
        result = seatport("catalog", "apply", str(path))
        assert result.exit_code == 2
        assert str(path) in result.stderr


def test_presets_are_listed_for_people(seatport: Seatport) -> None:
    """Each with its rule, what that comes to, where it stands, and what is left to others."""
    told = seatport("catalog", "presets")

    assert (told.exit_code, told.stderr) == (0, "")
    blocks = told.stdout.split("\n\n")
    assert [block.splitlines()[0] for block in blocks] == [preset.name for preset in presets()]
    name, rule, policy, source, note = blocks[0].splitlines()
    assert (name, rule, source) == ("github", f"  {presets()[0].rule}", f"  {presets()[0].source}")
    assert policy == "  PURCHASED · increase NOW PRORATED_IMMEDIATELY · decrease AT_RENEWAL DO_NOT_BILL"
    assert note == f"  Note: {presets()[0].note}"


def test_presets_are_listed_for_programs(seatport: Seatport) -> None:
    """As JSON in the words of a catalog."""
    told = json.loads(seatport("catalog", "presets", "--json").stdout)

    assert [preset["name"] for preset in told] == [preset.name for preset in presets()]
    dodo = next(preset for preset in told if preset["name"] == "dodo")
    assert (dodo["basis"], dodo["granularity"], dodo["decrease"]["guards"]) == ("PURCHASED", "DAY", [])
    assert dodo["increase"] == {
        "timing": "NOW",
        "modes": ["PRORATED_IMMEDIATELY", "DIFFERENCE_IMMEDIATELY", "FULL_IMMEDIATELY", "DO_NOT_BILL"],
    }
