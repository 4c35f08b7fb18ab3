"""The presets whose seats are billed after they were used, each by the rule that it stands for.

Where the product has published an example with numbers, the story tells that example.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.portal import Portal
from tests.stories.diary import Diary
from tests.stories.published import opened


async def bill(diary: Diary, day: str) -> tuple[list[str], str]:
    """The lines and the total of the invoice that the billing run of a day makes."""
    assert await diary.on(day).is_billed() == []
    invoice = (await diary.invoices())[-1]
    assert invoice.issued_on == day
    return invoice.lines, invoice.total


async def test_slack(portal: Portal) -> None:
    """A member joins "10 days into your billing period, leaving 20 days": 8.00 × 20/30 = 5.33. "If someone …
    becomes inactive, we'll add a prorated credit … for the unused time"; with everybody inactive "you'll be
    billed for a minimum of one member".

    April: Ada all month and Ben for 20 days, 8.00 × 10/30 + 16.00 × 20/30 = 2.67 + 10.67 = 13.33, which is
    8.00 + 5.33. May: Ben is there for 16 of 31 days, 16.00 × 16/31 + 8.00 × 15/31 = 12.13 (8.258 + 3.871);
    all of May would have been 16.00, so 3.87 are spared. June: nobody, billed as one: 8.00.
    """
    diary = await opened(portal, "2026-04-01", "slack", "8.00", minimum=1)
    await diary.reports(holder="ada", added=1)
    await diary.on("2026-04-11").reports(holder="ben", added=1)
    assert await bill(diary, "2026-05-01") == (
        ["1 seat × 8.00 USD × 10/30 days + 2 seats × 8.00 USD × 20/30 days = 13.33"],
        "13.33",
    )
    await diary.on("2026-05-17").reports(holder="ben", removed=1)
    await diary.on("2026-05-31", "23:00").reports(holder="ada", removed=1)
    assert await bill(diary, "2026-06-01") == (
        ["2 seats × 8.00 USD × 16/31 days + 1 seat × 8.00 USD × 15/31 days = 12.13"],
        "12.13",
    )
    assert await bill(diary, "2026-07-01") == (["1 seat × 8.00 USD = 8.00"], "8.00")


async def test_grafana(portal: Portal) -> None:
    """Active are those who "log in to a Grafana instance during the billing month. Users are only billed
    once per month". In April Ada logs in three times and Ben once: 2 × 8.00 = 16.00. In May only Ada does:
    8.00. In June nobody: no invoice.
    """
    diary = await opened(portal, "2026-04-01", "grafana", "8.00")
    days = {"2026-04-03": "ada", "2026-04-08": "ben", "2026-04-09": "ada", "2026-04-30": "ada"}
    for day, name in (days | {"2026-05-20": "ada"}).items():
        await diary.on(day, "09:00").is_billed()
        await diary.reports(holder=name, added=1)
        await diary.on(day, "17:00").reports(holder=name, removed=1)
    assert await bill(diary, "2026-06-01") == (["1 seat × 8.00 USD = 8.00"], "8.00")
    await diary.on("2026-07-01").is_billed()
    april, may = await diary.invoices()
    assert (april.lines, april.days) == (["2 seats × 8.00 USD = 16.00"], ["2026-04-01 – 2026-05-01"])
    assert may.total == "8.00"


async def test_kadence(portal: Portal) -> None:
    """The rule: "a fixed amount per active user" with "no set limit", "either fully active or fully
    inactive": nothing is prorated: Ada, there since 2 April, and Ben, who comes on the last evening of
    April, cost the same, 2 × 4.00 = 8.00. Whoever keeps a seat is there in May as well.
    """
    diary = await opened(portal, "2026-04-01", "kadence", "4.00")
    await diary.on("2026-04-02").reports(holder="ada", added=1)
    await diary.on("2026-04-30", "21:00").reports(holder="ben", added=1)
    assert await bill(diary, "2026-05-01") == (["2 seats × 4.00 USD = 8.00"], "8.00")
    await diary.on("2026-05-01").reports(holder="cem", added=1)
    assert await bill(diary, "2026-06-01") == (["3 seats × 4.00 USD = 12.00"], "12.00")
    (balance,) = (await diary.page())["seatBalances"]
    assert (balance["inUse"], balance["available"]) == (3, None)


async def test_hubspot(portal: Portal) -> None:
    """Billed "monthly in-arrears"; "if customer adds a user, the next bill will include a prorated charge",
    "removing a user does not remove the paid seat".

    Two at 50.00, a third from 16 April on; Ben leaves on the 21st: 100.00 × 15/30 + 150.00 × 15/30 = 50.00 +
    75.00 = 125.00. On the 25th Dee takes the seat that is empty, for nothing. May starts with the three who
    are there: 150.00.
    """
    diary = await opened(portal, "2026-04-01", "hubspot", "50.00")
    for name in ("ada", "ben"):
        await diary.reports(holder=name, added=1)
    await diary.on("2026-04-16").reports(holder="cem", added=1)
    await diary.on("2026-04-21").reports(holder="ben", removed=1)
    await diary.on("2026-04-25").reports(holder="dee", added=1)
    assert await bill(diary, "2026-05-01") == (
        ["2 seats × 50.00 USD × 15/30 days + 3 seats × 50.00 USD × 15/30 days = 125.00"],
        "125.00",
    )
    await diary.on("2026-05-31").reports(holder="dee", removed=1)
    assert await bill(diary, "2026-06-01") == (["3 seats × 50.00 USD = 150.00"], "150.00")
    assert await bill(diary, "2026-07-01") == (["2 seats × 50.00 USD = 100.00"], "100.00")


async def test_atlassian(portal: Portal) -> None:
    """A "monthly subscription with 10 users" at 18.00: 180.00. Five days in three are added, 25 days are
    left: 3 × 18.00 × 25/30 = 45.00 more, 225.00 in all (10 × 18.00 × 5/30 + 13 × 18.00 × 25/30 = 30.00 +
    195.00). For removals "there won't be any deductions, refunds or credits": four go on the 20th, two come
    on the 25th, for nothing. "We'll use your user count from the last day": May is 11 × 18.00 = 198.00.
    """
    diary = await opened(portal, "2026-04-01", "atlassian", "18.00")
    await diary.reports(added=10)
    await diary.on("2026-04-06").reports(added=3)
    await diary.on("2026-04-20").reports(removed=4)
    await diary.on("2026-04-25").reports(added=2)
    assert await bill(diary, "2026-05-01") == (
        ["10 seats × 18.00 USD × 5/30 days + 13 seats × 18.00 USD × 25/30 days = 225.00"],
        "225.00",
    )
    assert await bill(diary, "2026-06-01") == (["11 seats × 18.00 USD = 198.00"], "198.00")


PRORATED = "27 seats × 15.00 USD × 13/30 days = 175.50"
WHOLE = "27 seats × 15.00 USD = 405.00"


@pytest.mark.parametrize(
    ("own", "april"), [({}, PRORATED), ({"basis": "PRORATED"}, PRORATED), ({"basis": "PEAK"}, WHOLE)]
)
async def test_sequence(portal: Portal, own: dict[str, Any], april: str) -> None:
    """The example: nobody until 18 April, then 27 seats at 15.00, "prorated to £6.50" each: 27 × 15.00 ×
    13/30 = 175.50, and 405.00 in May. The default and the strategy of all changes agree, as nobody leaves;
    the highest number of the month is paid in full, 405.00 in April too.
    """
    diary = await opened(portal, "2026-04-01", "sequence", "15.00", **own)
    await diary.on("2026-04-18").reports(added=27)
    assert (await bill(diary, "2026-05-01"))[0] == [april]
    assert await bill(diary, "2026-06-01") == ([WHOLE], "405.00")


async def test_sequence_with_contracted_seats(portal: Portal) -> None:
    """Contracted seats are always billed: "100 seats billed monthly in arrears", 90 in use, "still charged
    for 100": 100 × 15.00 = 1500.00. From 16 April on 120: 100 × 15.00 × 15/30 + 120 × 15.00 × 15/30 =
    1650.00.
    """
    diary = await opened(portal, "2026-03-01", "sequence", "15.00", minimum=100)
    await diary.reports(added=90)
    assert await bill(diary, "2026-04-01") == (["100 seats × 15.00 USD = 1500.00"], "1500.00")
    await diary.on("2026-04-16").reports(added=30)
    lines, total = await bill(diary, "2026-05-01")
    assert lines == [
        "100 seats × 15.00 USD × 15/30 days + 120 seats × 15.00 USD × 15/30 days = 1650.00",
    ]
    assert total == "1650.00"


async def test_sequence_with_overage_each_month(portal: Portal) -> None:
    """The rule: "if you bill customers for 100 seats in advance at the start of the year", the seats above
    "at the end of the current month": 100 × 150.00 = 15000.00 for the year, and 20 more in use when April
    ends: 20 × 15.00.
    """
    diary = await opened(
        portal,
        "2026-04-01",
        "sequence",
        "150.00",
        "YEAR",
        editor=100,
        basis="OVERAGE",
        overage_amount="15.00",
    )
    await diary.on("2026-04-10").reports(added=120)
    assert await bill(diary, "2026-05-01") == (["20 seats × 15.00 USD = 300.00"], "300.00")
    assert (await diary.invoices())[0].total == "15000.00"
