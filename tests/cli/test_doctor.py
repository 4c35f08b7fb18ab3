"""`seatport doctor`."""

from __future__ import annotations

import json

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.cli.conftest import Seatport, run
from tests.postgres import in_own_loop


async def _executed(url: str, statement: str) -> None:
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.execute(text(statement))
    await engine.dispose()


def test_sound_books_end_well(demo: Seatport) -> None:
    """Exit code 0, a sentence for people, every check for programs."""
    told, plain = demo("doctor"), demo("doctor", "--json")

    assert (told.exit_code, plain.exit_code) == (0, 0), told.output
    report = json.loads(plain.stdout)
    assert (report["sound"], report["customers"]) == (True, 3)
    assert told.stdout == f"All {len(report['checks'])} checks hold, for 3 customers.\n"
    assert [check for check in report["checks"] if check["broken"] or check["first"]] == []


def test_the_first_bad_row_is_named(demo: Seatport, demo_url: str) -> None:
    """Exit code 1; the promise that does not hold, how often, and the first row with its numbers."""
    in_own_loop(_executed(demo_url, "UPDATE seat_level SET balance = balance + 1 WHERE metric = 'full'"))

    told, plain = demo("doctor"), demo("doctor", "--json")

    assert (told.exit_code, plain.exit_code) == (1, 1)
    first, second, last = told.stdout.splitlines()
    assert first == "I2 seats.level: A seat level is the sum of its events."
    assert second.startswith("    does not hold for 2. The first: customer_id ")
    assert "metric full" in second
    (broken,) = (check for check in json.loads(plain.stdout)["checks"] if check["broken"])
    assert (broken["check"], broken["broken"]) == ("seats.level", 2)
    assert broken["first"]["row"].keys() == {"customer_id", "metric", "kind"}
    assert broken["first"]["says"] in second
    assert last.endswith("checks do not hold.")


def test_an_empty_database_is_told(empty_database_url: str) -> None:
    """Without tables there is one thing to say, and what to do."""
    told = run(empty_database_url, "doctor")

    assert told.exit_code == 1
    assert "Run `seatport migrate`." in told.stdout
