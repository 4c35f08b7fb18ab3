"""Every published case is answered to the last digit; and a case that says otherwise would be noticed."""

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.published.adapters import ADAPTERS
from tests.published.cases import read
from tests.published.running import run

FILE = Path(__file__).with_name("cases.jsonl")
LINES = FILE.read_text(encoding="utf-8").splitlines()
CASES = [json.loads(line) for line in LINES]
FRACTIONAL = ["chargebee-round-usd", "chargebee-round-jpy"]
WHOLE = [case for case in CASES if case["id"] not in FRACTIONAL]


def test_all_published_cases_are_answered_alike() -> None:
    """281 cases pass, none is answered otherwise; two price fractions of a unit, and seats are whole."""
    report = run(LINES)

    assert (report.failed, report.otherwise) == ([], []), report.told
    assert report.fractional == FRACTIONAL
    assert len(report.passed) == len(set(report.passed)) == 281


def test_the_cases_are_of_every_kind() -> None:
    """No adapter is without cases, no case without an adapter, and ids are unique."""
    kinds = Counter(case["kind"] for case in CASES)

    assert kinds.keys() == ADAPTERS.keys()
    assert min(kinds.values()) >= 6
    assert len({case["id"] for case in CASES}) == len(CASES) == 283


def wrong(value: str, chance: random.Random) -> str:
    """Another value of the same form: an amount or a time that is a little off."""
    if "-" in value[1:]:
        year = int(value[:4]) + chance.choice((-1, 1))
        day = f"{(int(value[8:10]) + chance.randrange(1, 27)) % 28 + 1:02}"
        return chance.choice((f"{year}{value[4:]}", f"{value[:8]}{day}{value[10:]}"))
    digits = len(value.partition(".")[2])
    minor = int(value.replace(".", ""))
    other = chance.choice((minor + 1, minor - 1, -minor or 7, minor * 10 + 3))
    return f"{'-' if other < 0 else ''}{other_text(abs(other), digits)}"


def other_text(minor: int, digits: int) -> str:
    """Minor units as an amount."""
    if not digits:
        return str(minor)
    return f"{minor // 10**digits}.{minor % 10**digits:0{digits}}"


def spoilt(case: dict[str, Any], key: str, place: int | None, chance: random.Random) -> dict[str, Any]:
    """A case that expects something else in one place."""
    expect = json.loads(json.dumps(case["expect"]))
    old = expect[key] if place is None else expect[key][place]
    new = wrong(old, chance)
    if place is None:
        expect[key] = new
    else:
        expect[key][place] = new
    assert new != old
    return {**case, "expect": expect}


def places(case: dict[str, Any]) -> list[tuple[str, int | None]]:
    """Every single value that a case expects."""
    return [
        (key, place)
        for key, value in case["expect"].items()
        for place in (range(len(value)) if isinstance(value, list) else [None])
    ]


@pytest.mark.parametrize("seed", range(5))
def test_every_expected_value_counts(seed: int) -> None:
    """Each value of each case, made wrong by itself, fails that case: more than 470 of them, five times."""
    chance = random.Random(seed)
    spoilt_lines = [
        json.dumps(spoilt(case, key, place, chance)) for case in WHOLE for key, place in places(case)
    ]
    report = run(spoilt_lines)

    assert report.passed == report.otherwise == []
    assert len(report.failed) == len(spoilt_lines) > 470
    assert sum("expected" in line for line in report.told) == len(spoilt_lines)


def test_read_numbers_the_lines() -> None:
    """Empty lines are passed over and counted."""
    assert [case.line for case in read(["", LINES[0], " ", LINES[1]], ADAPTERS)] == [2, 4]
