"""One year of people who come and go, billed under every preset at 10.00 a month, or 120.00 a year.

Ada, Ben, Cem and Dee start on 1 January 2026. In brackets: how many there are then, what is left of the month
for DAY, and what 10.00 are for that long, rounded.

    15 Feb  Eva comes               (5, 14/28, 5.00)      16 Sep  Fay and Gus leave     (6, 15/30, 5.00 each)
     1 Mar  Fay comes               (6, 31/31, 10.00)      7 Oct  Ida comes in the morning and leaves in the
    10 Apr  Ben leaves              (5, 21/30, 7.00)              evening               (6, 25/31, 8.06)
    22 Apr  Gus comes               (6,  9/30, 3.00)       1 Nov  Fay is back           (7, 30/30, 10.00)
    13 Jun  Ben is back             (7, 18/30, 6.00)      31 Dec  Dee leaves            (6,  1/31, 0.32)
    25 Jun  Ben leaves once more    (6,  6/30, 2.00)
    28 Jun  Ben is back for good    (7,  3/30, 1.00)
    11 Aug  Hal comes               (8, 21/31, 6.77)

What is ordered in advance is ordered as people come and go; what is billed afterwards follows from the seats
in use. A line belongs to the month in which its service begins. It is the rules that a year is for, so one
database does; the stories of the presets run on both.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.billing.plans import ChargingBasis
from app.services.catalog_policies import presets
from tests.portal import Portal
from tests.stories.diary import Diary
from tests.stories.published import opened

MOVES = (
    *(("2026-01-01", "09:00", name, 1) for name in ("ada", "ben", "cem", "dee")),
    ("2026-02-15", "09:00", "eva", 1),
    ("2026-03-01", "09:00", "fay", 1),
    ("2026-04-10", "09:00", "ben", -1),
    ("2026-04-22", "09:00", "gus", 1),
    ("2026-06-13", "09:00", "ben", 1),
    ("2026-06-25", "09:00", "ben", -1),
    ("2026-06-28", "09:00", "ben", 1),
    ("2026-08-11", "09:00", "hal", 1),
    ("2026-09-16", "09:00", "fay", -1),
    ("2026-09-16", "09:30", "gus", -1),
    ("2026-10-07", "09:00", "ida", 1),
    ("2026-10-07", "18:00", "ida", -1),
    ("2026-11-01", "09:00", "fay", 1),
    ("2026-12-31", "09:00", "dee", -1),
)
STARTING = 4
ON_ONE_DATABASE = pytest.mark.parametrize("engine_name", ["sqlite"])
DAY_BY_DAY = "40.00 45.00 60.00 56.00 60.00 65.00 70.00 76.77 70.00 60.00 70.00 69.68"
HIGHEST_SO_FAR = "40.00 45.00 60.00 60.00 60.00 66.00 70.00 76.77 80.00 60.00 70.00 70.00"
KEPT_TILL_RENEWAL = "40.00 45.00 60.00 60.00 60.00 66.00 70.00 76.77 80.00 68.06 70.00 70.00"
EVERYBODY = "40.00 50.00 60.00 70.00 60.00 70.00 70.00 80.00 80.00 70.00 70.00 70.00"
FOR_THE_YEAR = "480.00 105.21 100.60 0.00 0.00 66.41 0.00 47.01 0.00 0.00 0.00 0.00"
BILLED = {
    "github": (KEPT_TILL_RENEWAL, "765.83"),
    "asana": (KEPT_TILL_RENEWAL, "765.83"),
    "loom": (KEPT_TILL_RENEWAL, "765.83"),
    "hubspot": (HIGHEST_SO_FAR, "757.77"),
    "atlassian": (HIGHEST_SO_FAR, "757.77"),
    "sequence": (HIGHEST_SO_FAR, "757.77"),
    "slack": (DAY_BY_DAY, "742.45"),
    "miro": (DAY_BY_DAY, "742.45"),
    "dodo": (DAY_BY_DAY, "742.45"),
    "grafana": (EVERYBODY, "790.00"),
    "kadence": (EVERYBODY, "790.00"),
    "figma": (FOR_THE_YEAR, "799.23"),
}
HIGHEST = "40.00 50.00 60.00 60.00 60.00 70.00 70.00 80.00 80.00 60.00 70.00 70.00"
LAST = "40.00 50.00 60.00 60.00 60.00 70.00 70.00 80.00 60.00 60.00 70.00 60.00"


async def lives(portal: Portal, preset: str, mode: str | None, **own: str) -> Diary:
    """The year of a customer on the plan of a preset; seats are ordered in a mode, or in the plan's own."""
    yearly = preset == "figma"
    basis = own.get("basis") or next(each.basis.value for each in presets() if each.name == preset)
    ordered = ChargingBasis[basis].in_advance
    price = ("120.00", "YEAR") if yearly else ("10.00", "MONTH")
    diary = await opened(portal, "2026-01-01", preset, *price, editor=STARTING if ordered else 0, **own)
    people = 0
    for day, at, name, net in MOVES:
        diary.on(day, at)
        people += net
        if net < 0:
            await diary.reports(holder=name, removed=1)
        if ordered and day != "2026-01-01":
            what = {"editor": people} | ({"mode": mode} if mode else {})
            assert (await diary.confirms(None, **what))["__typename"] == "PlanChanged"
        if net > 0:
            await diary.reports(holder=name, added=1)
    assert await diary.on("2027-01-01").is_billed() == []
    return diary


async def months(diary: Diary) -> str:
    """What all documents bill for each month of the year."""
    sums = [Decimal(0)] * 12
    for paper in (*await diary.invoices(), *await diary.credit_notes()):
        for line, days in zip(paper.lines, paper.days, strict=True):
            if days < "2027":
                sums[int(days[5:7]) - 1] += Decimal(line.rpartition(" = ")[2])
    return " ".join(f"{amount:.2f}" for amount in sums)


@ON_ONE_DATABASE
@pytest.mark.parametrize("preset", BILLED)
async def test_the_year_under_every_preset(portal: Portal, preset: str) -> None:
    """Twelve presets, five totals.

    Seats come at once and go at the renewal (github, asana, loom: 765.83). The month's first people in full,
    and each addition for what is left: Jan 40.00, Feb 40.00 + 5.00, Mar 50.00 + 10.00, Apr 60.00 (Gus takes
    the seat that Ben left), May 60.00, Jun 60.00 + 6.00 (Ben comes back to his own), Jul 70.00, Aug 70.00 +
    6.77, Sep 80.00, Oct 60.00 + 8.06 (Ida's seat stays paid), Nov 60.00 + 10.00, Dec 70.00. Github and asana
    collect at once, loom on the next invoice: the same money on other days.

    Highest so far (hubspot, atlassian, sequence: 757.77). The same, 8.06 less: billed after the month by the
    level at the end of each day, they never see Ida, who came and left on one day.

    Day by day (slack, miro, dodo: 742.45). As the first, less what is given back: Apr 60.00 − 7.00 + 3.00 =
    56.00, Jun 60.00 + 6.00 − 2.00 + 1.00 = 65.00, Sep 80.00 − 2 × 5.00 = 70.00, Oct 60.00 + 8.06 − 8.06 =
    60.00, Dec 70.00 − 0.32 = 69.68. Slack counts the days afterwards, miro settles on the next invoice, dodo
    at once: again the same money on other days. Slack rounds once a month, the others each line; this year
    that makes no difference.

    Everybody who was there (grafana, kadence: 790.00): 4 in January, 5, 6, 7 in April (Ben and Gus), 6, 7, 7,
    8, 8 in September (Fay and Gus too), 7 in October (Ida too), 7 and 7 in December (Dee too): 79 × 10.00.

    For the year (figma: 799.23): 4 × 120.00 = 480.00, then each new highest number for the days left of 365:
    Eva 120.00 × 320/365 = 105.21 (105.205), Fay × 306/365 = 100.60 (100.603), Ben's return in June, the
    seventh, × 202/365 = 66.41 (66.411), Hal × 143/365 = 47.01 (47.014). Gus, Ida and Fay's return find seats
    that are paid.
    """
    found = await months(await lives(portal, preset, None))
    billed, total = BILLED[preset]
    assert found == billed
    assert sum(map(Decimal, found.split())) == Decimal(total)


@ON_ONE_DATABASE
@pytest.mark.parametrize(
    ("preset", "mode", "own", "billed", "total"),
    [
        ("sequence", None, {"basis": "PRORATED"}, DAY_BY_DAY, "742.45"),
        ("sequence", None, {"basis": "PEAK"}, HIGHEST, "770.00"),
        ("dodo", "DIFFERENCE_IMMEDIATELY", {}, LAST, "740.00"),
    ],
)
async def test_the_year_by_other_choices(
    portal: Portal, preset: str, mode: str | None, own: dict[str, str], billed: str, total: str
) -> None:
    """What sequence and dodo let their users choose besides.

    Sequence by all changes is slack's day by day. By the highest number, each month costs that many: 4, 5, 6,
    6, 6, 7, 7, 8, 8, 6 (not Ida), 7, 7: 77 × 10.00 = 770.00. Dodo by the full difference: each coming costs
    10.00 and each going gives 10.00 back, whatever the day, so a month costs its last number: 4, 5, 6, 6, 6,
    7, 7, 8, 6, 6, 7, 6: 74 × 10.00 = 740.00.
    """
    found = await months(await lives(portal, preset, mode, **own))
    assert found == billed
    assert sum(map(Decimal, found.split())) == Decimal(total)
