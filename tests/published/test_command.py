"""The command as a person or a script runs it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.published.running import run
from tests.published.test_cases import CASES, FILE

ROOT = Path(__file__).resolve().parents[2]
PLANTED = {
    "kb-upgrade-27of31": {"credit": "-217.70", "charge": "522.54", "net": "304.85"},
    "flexprice-dst-4": {"amount": "2.0"},
    "kb-bcd31-leap-periods": {
        "boundaries": ["2012-03-31", "2012-04-30", "2012-05-30", "2012-06-30", "2012-07-30"]
    },
    "lago-graduated-zero": {"amounts": ["0.00"]},
    "tucasi-invoice": {"tax": "22.60", "total": "135.70"},
    "dodo-difference-balance": {"applied": ["20.00", "20.00", "20.00"], "left": "-0.00"},
    "flexprice-cap-6": {"credit": "-50.00"},
    "autumn-eom-2": {"period": ["2026-03-31T10:00:00Z", "2026-04-30T10:00:00Z"]},
}
TAX = {
    "id": "t",
    "kind": "tax",
    "currency": "USD",
    "given": {"rate_percent": "20", "lines": ["1.00"], "level": "line", "inclusive": False},
    "expect": {"tax": "0.20"},
}
CHANGE = {
    "id": "c",
    "kind": "change",
    "currency": "USD",
    "given": {
        "mode": "FULL_IMMEDIATELY",
        "from": {"unit_amount": "30.00", "quantity": 1},
        "to": {"unit_amount": "80.00", "quantity": 1},
        "period": ["2025-04-01", "2025-05-01"],
        "at": "2025-04-01",
        "granularity": "day",
        "timezone": "UTC",
    },
    "expect": {"charge": "80.00"},
}


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "tests.published", *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def with_given(case: dict[str, Any], **given: Any) -> dict[str, Any]:
    """The case with other given values."""
    return {**case, "given": {**case["given"], **given}}


def test_our_own_file_passes() -> None:
    """The last line has exactly the two counts, and the status is 0."""
    ran = command(str(FILE))

    assert ran.stdout.splitlines()[-1] == "281 passed, 0 failed"
    assert (ran.returncode, ran.stderr) == (0, "")


def test_planted_mistakes_are_found_and_no_others(tmp_path: Path) -> None:
    """Of a file with eight wrong expectations exactly these ids fail, each with expected and actual."""
    planted = [{**case, "expect": PLANTED.get(case["id"], case["expect"])} for case in CASES]
    file = tmp_path / "planted.jsonl"
    file.write_text("".join(f"{json.dumps(case)}\n" for case in planted), encoding="utf-8")
    ran = command(str(file))
    failed = {line.split()[1] for line in ran.stdout.splitlines() if line.startswith("FAILED ")}

    assert failed == PLANTED.keys()
    assert "  net: expected 304.85, actual 304.84\n" in ran.stdout
    assert ran.stdout.splitlines()[-1] == "273 passed, 8 failed"
    assert ran.returncode == 1


@pytest.mark.parametrize("arguments", [(), ("one", "two"), ("/nowhere/cases.jsonl",), ("tests",)])
def test_without_a_file_to_read_it_says_so(arguments: tuple[str, ...]) -> None:
    """No file, two, one that does not exist or a folder: one line of error, status 2."""
    ran = command(*arguments)

    assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (2, "", 1)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "line 1: not JSON: "),
        ("[]", "line 1: the line is no JSON object"),
        (json.dumps({**TAX, "kind": "taxes"}), "line 1: kind is 'taxes'; expected prorate, "),
        (json.dumps({**TAX, "currency": "EURO"}), "line 1: currency is 'EURO', which nobody knows"),
        (json.dumps({**TAX, "expect": {}}), "line 1: expect is empty"),
        (json.dumps({"id": "t"}), "line 1: currency is missing"),
        (json.dumps(with_given(TAX, lines="1.00")), "line 1: t: lines is not a list"),
        (json.dumps(with_given(TAX, lines=["1.001"])), "line 1: t: lines: 1.001 has more than the 2 "),
        (json.dumps(with_given(TAX, lines=["NaN"])), "line 1: t: lines is 'NaN', no decimal number"),
        (json.dumps(with_given(TAX, level="day")), "line 1: t: level is 'day'; expected line, invoice"),
        (json.dumps(with_given(CHANGE, timezone="Mars/Base")), "line 1: c: timezone is 'Mars/Base', which "),
        (json.dumps(with_given(CHANGE, at="2025-05-02")), "line 1: c: the change lies outside the period"),
        (json.dumps(with_given(CHANGE, at="2025-02-29")), "line 1: c: at: '2025-02-29' is no time"),
        (json.dumps(with_given(CHANGE, at="2025-04-03T10:00:00")), "line 1: c: at: the instant 2025-04-03T1"),
        (json.dumps(with_given(CHANGE, period=["2025-05-01", "2025-04-01"])), "line 1: c: period ends befor"),
        (json.dumps(with_given(CHANGE, mode="LATER")), "line 1: c: mode is 'LATER'; expected PRORATED_IMM"),
        (json.dumps(with_given(CHANGE, days=[31, 30])), "line 1: c: the change lies outside the period"),
    ],
)
def test_a_line_that_is_no_case_is_told_with_its_number(line: str, problem: str) -> None:
    """It counts as failed, so that no mistake in a file goes unnoticed."""
    report = run([line])

    assert [told[: len(problem)] for told in report.told] == [problem]
    assert list(report.lines())[-1] == "0 passed, 1 failed"


def test_fractional_quantities_are_counted_apart() -> None:
    """A case with half a seat anywhere is neither passed nor failed; 2.0 seats are 2."""
    half = [
        with_given(CHANGE, to={"unit_amount": "80.00", "quantity": "1.5"}),
        with_given(CHANGE, **{"from": {"unit_amount": "30.00", "quantity": 0.5}}),
    ]
    report = run(json.dumps(case) for case in [*half, with_given(CHANGE, to=CHANGE_TO_TWO)])

    assert (report.fractional, report.passed, report.failed) == (["c", "c"], [], ["c"])
    assert "  charge: expected 80.00, actual 160.00" in report.told


CHANGE_TO_TWO = {"unit_amount": "80.00", "quantity": "2.0"}


def test_a_departure_is_listed_with_its_reason() -> None:
    """A restart on the first day gives back what was billed, which the format does not; its charge is judged
    as ever.
    """
    departs = {**CHANGE, "expect": {"credit": "0.00", "charge": "80.00", "net": "80.00"}}
    report = run([json.dumps(departs)])

    assert (report.otherwise, report.failed, report.passed) == (["c"], [], [])
    assert report.told[1:3] == [
        "  credit: expected 0.00, actual -30.00",
        "  net: expected 80.00, actual 50.00",
    ]
    assert report.told[3].startswith("  on purpose: a restart on the period's own first day")
    assert run([json.dumps({**departs, "expect": {"charge": "80.01"}})]).failed == ["c"]
    assert run([json.dumps(with_given(departs, at="2025-04-02"))]).passed == ["c"]
