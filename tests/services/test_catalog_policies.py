"""Policies of prices, and the presets that fill them in."""

from __future__ import annotations

import pytest

from app.billing.periods import Granularity
from app.billing.plans import (
    ChangeGuard,
    ChangeTiming,
    ChargingBasis,
    DirectionPolicy,
    PlanPrice,
    ProrationMode,
)
from app.services.catalog_policies import presets
from tests.services.catalogs import SMALL, changed, declared, problems

OWN = """increase = { modes = ["PRORATED_IMMEDIATELY"], timing = "NOW" }
decrease = { modes = ["PRORATED_IMMEDIATELY"], timing = "NOW" }
"""
PRICE = "plans.team.prices[0]"
NAMES = (
    "github",
    "slack",
    "figma",
    "miro",
    "loom",
    "asana",
    "grafana",
    "kadence",
    "hubspot",
    "atlassian",
    "dodo",
    "sequence",
)


def with_policy(policy: str, text: str = SMALL) -> str:
    """The small catalog with another policy of its price."""
    return changed(OWN, policy, text)


def price(policy: str, text: str = SMALL) -> PlanPrice:
    """The one price of the small catalog under a policy."""
    return declared(with_policy(policy, text)).plans[0].prices[0]


def test_the_presets_have_their_names() -> None:
    """Twelve presets, each with its rule and an address where that is published."""
    assert tuple(preset.name for preset in presets()) == NAMES
    for preset in presets():
        assert preset.rule.endswith(".")
        assert preset.source.startswith("https://")


@pytest.mark.parametrize("name", NAMES)
def test_a_price_takes_a_preset_over(name: str) -> None:
    """A price that names a preset and says nothing else has its basis, policy and granularity."""
    preset = next(preset for preset in presets() if preset.name == name)
    taken = price(f'preset = "{name}"\n')

    assert taken.policy == preset.policy
    assert taken.granularity is preset.granularity
    assert [seat.basis for seat in taken.seats] == [preset.basis]


def test_what_a_price_says_itself_wins() -> None:
    """Granularity, one key of a direction, the basis of one metric: the rest is the preset's."""
    two = changed(
        '[metrics.editor]\nlabel = "Editor"',
        '[metrics.editor]\nlabel = "Editor"\n[metrics.guest]\nlabel = "Guest"',
    )
    own = """preset = "slack"
granularity = "SECOND"
increase = { modes = ["DO_NOT_BILL"] }
decrease = { timing = "AT_RENEWAL" }
seats.guest = { basis = "PURCHASED", unit_amount = "0.00" }
"""
    taken = price(own, two)

    later = (ProrationMode.PRORATED_ON_NEXT_INVOICE,)
    assert taken.granularity is Granularity.SECOND
    assert taken.policy.increase == DirectionPolicy((ProrationMode.DO_NOT_BILL,), ChangeTiming.NOW)
    assert taken.policy.decrease == DirectionPolicy(later, ChangeTiming.AT_RENEWAL)
    assert [seat.basis for seat in taken.seats] == [ChargingBasis.PRORATED, ChargingBasis.PURCHASED]


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ('"slak"', "There is no preset \"slak\". Did you mean 'slack'?"),
        ('"Github"', "There is no preset \"Github\". Did you mean 'github'?"),
        ('"zoom"', f'There is no preset "zoom". Give one of: {", ".join(NAMES)}.'),
        ("7", f"There is no preset 7. Give one of: {', '.join(NAMES)}."),
    ],
)
def test_an_unknown_preset_is_one_problem(written: str, message: str) -> None:
    """It is told with the name that was meant, or all there are, and nothing else is called missing."""
    assert problems(with_policy(f"preset = {written}\n")) == {f"{PRICE}.preset": message}


@pytest.mark.parametrize(
    ("own", "path", "message"),
    [
        ('increase = { mode = "x" }', "increase.mode", "There is no 'mode' here. Did you mean 'modes'?"),
        ("increase = 3", "increase", "Give a table, not 3."),
        ('polcy = "x"', "polcy", "There is no 'polcy' here."),
        ("seats.editor.maximum = 9", "seats.editor.maximum", "ACTIVE bills every seat that is used"),
    ],
)
def test_mistakes_beside_a_preset_keep_their_places(own: str, path: str, message: str) -> None:
    """What is wrong in a price that names a preset is told as in any other."""
    text = SMALL.replace(
        'seats.editor = { included = 5, unit_amount = "15.00" }', 'seats.editor.unit_amount = "1.00"'
    )
    found = problems(with_policy(f'preset = "grafana"\n{own}\n', text))

    assert found[f"{PRICE}.{path}"].startswith(message)


def test_guards_are_data() -> None:
    """Decreases are guarded unless the price says that nothing holds them back; increases have no guards."""
    free = OWN.removesuffix(" }\n") + ", guards = [] }\n"
    on_increases = OWN.replace('"NOW" }', '"NOW", guards = [] }', 1)
    unknown = OWN.removesuffix(" }\n") + ', guards = ["SEATS_IN_US"] }\n'

    assert price(OWN).policy.decrease.guards == (ChangeGuard.SEATS_IN_USE,)
    assert price(free).policy.decrease.guards == ()
    assert problems(with_policy(on_increases)) == {
        f"{PRICE}.increase.guards": "There is no 'guards' here. Known here: modes, timing."
    }
    assert problems(with_policy(unknown)) == {
        f"{PRICE}.decrease.guards[0]": "\"SEATS_IN_US\" is not known here. Did you mean 'SEATS_IN_USE'?"
    }


def test_only_dodo_can_be_milked() -> None:
    """Removals by more than their unused time are what Dodo's customers may choose, and a warning; no other
    preset allows them.
    """
    warned = {
        name: [each.path for each in declared(with_policy(f'preset = "{name}"\n')).warnings] for name in NAMES
    }

    assert {name: paths for name, paths in warned.items() if paths} == {"dodo": [f"{PRICE}.decrease.modes"]}
