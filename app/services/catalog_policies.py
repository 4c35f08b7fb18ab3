"""Policies of a catalog's prices: read from the price itself, or taken from a preset, the seat policy of a
known product. A preset fills in what a price leaves out.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, Final

from app.billing.periods import Granularity
from app.billing.plans import (
    ChangeGuard,
    ChangePolicy,
    ChangeTiming,
    ChargingBasis,
    DirectionPolicy,
    ProrationMode,
)
from app.billing.refusals import Problem
from app.services.catalog_reader import Section, shown

PRESETS: Final = Path(__file__).with_name("presets.toml")
RULE_MAX: Final = 500
NEAR: Final = 0.8
DIRECTIONS: Final = ("increase", "decrease")


@dataclass(frozen=True, slots=True)
class Preset:
    """A seat policy with its name, the rule it stands for, and where that is published. `note` says what is
    left to the price or the vendor, and what of the rule has no words here.
    """

    name: str
    rule: str
    source: str
    note: str | None
    basis: ChargingBasis
    policy: ChangePolicy
    granularity: Granularity


@cache
def presets() -> tuple[Preset, ...]:
    """All presets, as their file lists them."""
    problems: list[Problem] = []
    found = tuple(_preset(name, section) for name, section in Section(_tables(), "", problems).tables())
    assert not problems, problems
    return found


def with_preset(section: Section) -> Section:
    """A price together with what the preset that it names says where it is silent itself; the price as it is
    if it names none. An unknown name is noted.
    """
    if not section.has("preset"):
        return section
    preset = _named(section)
    table: dict[str, Any] = {"granularity": preset.get("granularity", "DAY"), **section.table}
    for key in DIRECTIONS:
        table[key] = _filled(preset[key], table.get(key, {}))
    seats = table.get("seats")
    if isinstance(seats, dict):
        table["seats"] = {code: _filled({"basis": preset["basis"]}, seat) for code, seat in seats.items()}
    return Section(table, section.path, section.problems, ["preset"])


def read_policy(section: Section) -> ChangePolicy:
    """What a price lets customers change, in each direction."""
    increase, decrease = (_direction(section.section(key), key) for key in DIRECTIONS)
    return ChangePolicy(increase, decrease)


def read_granularity(section: Section) -> Granularity:
    """In what a price counts time."""
    return section.choice("granularity", Granularity, default=Granularity.DAY)


def _direction(section: Section, key: str) -> DirectionPolicy:
    modes = section.choices("modes", ProrationMode)
    timing = section.choice("timing", ChangeTiming)
    if key == "decrease" and section.has("guards"):
        policy = DirectionPolicy(modes, timing, section.choices("guards", ChangeGuard, least=0))
    else:
        policy = DirectionPolicy(modes, timing)
    section.finish()
    return policy


def _preset(name: str, section: Section) -> Preset:
    preset = Preset(
        name,
        section.text("rule", longest=RULE_MAX),
        section.text("source"),
        section.optional_text("note", longest=RULE_MAX),
        section.choice("basis", ChargingBasis),
        read_policy(section),
        read_granularity(section),
    )
    section.finish()
    return preset


def _named(section: Section) -> Mapping[str, Any]:
    """The preset that a price names; any at all for one that does not exist, so that nothing else is called
    missing because of it.
    """
    tables, name = _tables(), section.table["preset"]
    if isinstance(name, str) and name in tables:
        return tables[name]
    near = get_close_matches(name.lower(), tables, n=1, cutoff=NEAR) if isinstance(name, str) else []
    advice = f"Did you mean {near[0]!r}?" if near else f"Give one of: {', '.join(tables)}."
    section.wrong("preset", f"There is no preset {shown(name)}. {advice}")
    return next(iter(tables.values()))


def _filled(preset: Mapping[str, Any], own: object) -> object:
    """A table with what it leaves out; what is no table stays, to be called wrong where it is read."""
    return {**preset, **own} if isinstance(own, dict) else own


@cache
def _tables() -> dict[str, Mapping[str, Any]]:
    """What the file of presets says."""
    return tomllib.loads(PRESETS.read_text("utf-8"))
