"""Catalogs of one plan under a preset, for stories that stand for a published rule."""

from __future__ import annotations

from tests.portal import Portal
from tests.services.catalogs import SMALL
from tests.stories.diary import Diary

SELLER = SMALL.partition("[plans.team]")[0]


def plan(preset: str, unit: str, interval: str = "MONTH", **own: int | str) -> str:
    """A plan called like its preset: editors at so much, and what the price says of them itself."""
    seat = {"unit_amount": unit, **own}
    said = ", ".join(f'{key} = "{n}"' if isinstance(n, str) else f"{key} = {n}" for key, n in seat.items())
    return f"""
[plans.{preset}]
name = "{preset.title()}"
description = "As {preset} bills."

[[plans.{preset}.prices]]
interval = "{interval}"
currency = "USD"
preset = "{preset}"
seats.editor = {{ {said} }}
"""


async def opened(
    portal: Portal,
    day: str,
    preset: str,
    unit: str,
    interval: str = "MONTH",
    *,
    editor: int = 0,
    **own: int | str,
) -> Diary:
    """A customer in New York on the plan of a preset, from a day on, with so many seats ordered."""
    await portal.offer(SELLER + plan(preset, unit, interval, **own))
    return await (await Diary.opened(portal, day)).starts(preset, interval, editor=editor)
