"""What will become of the changes that wait, and what each does to the renewal's price."""

from app.billing.outlooks import Effect, Outlook, effects, opening
from app.billing.plans import ChangeTiming
from app.billing.state import State
from app.billing.subscriptions import SubscriptionStatus
from app.billing.turns import Turn, TurnKind
from tests.billing.playing import brought_up, changed, in_use, paid, turned
from tests.builders import EDITOR, VAT, VIEWER, ask, money, plan_price, seat_price, started, tried

AT_RENEWAL = ChangeTiming.AT_RENEWAL
BOTH = plan_price(seat_price(), seat_price("4.00", VIEWER))
PRO = plan_price(seat_price("20.00", maximum=50), plan="pro")


def waiting(state: State, **wanted: int | str) -> State:
    """The state with a change that was asked for at the renewal."""
    return changed(state, ask(timing=AT_RENEWAL, **wanted), "2026-04-10")  # type: ignore[arg-type]


def listed(state: State) -> list[Effect]:
    """The effects, in the order in which the changes were made."""
    found = effects(state)
    return [found[scheduled.id] for scheduled in state.scheduled]


def test_each_change_has_the_difference_that_it_alone_makes() -> None:
    """Two editors less are −20.00, three viewers more 12.00, whatever else waits; with 19 % tax −23.80."""
    state = waiting(waiting(started(BOTH, viewer=5), editor=8), viewer=8)

    assert listed(state) == [
        Effect(Outlook.AS_ASKED, money("-20.00")),
        Effect(Outlook.AS_ASKED, money("12.00")),
    ]
    assert listed(waiting(started(taxes=VAT), editor=8)) == [Effect(Outlook.AS_ASKED, money("-23.80"))]


def test_a_removal_that_will_be_raised_says_so() -> None:
    """Down to 5 with 8 in use: 8 stay, and only 20.00 are saved; with all 10 in use nothing is."""
    state = waiting(started(), editor=5)

    assert listed(in_use(state, EDITOR, 8)) == [Effect(Outlook.RAISED, money("-20.00"))]
    assert listed(in_use(state, EDITOR, 10)) == [Effect(Outlook.RAISED, money("0.00"))]
    assert listed(in_use(state, EDITOR, 5)) == [Effect(Outlook.AS_ASKED, money("-50.00"))]


def test_a_plan_that_will_be_dropped_says_so() -> None:
    """Pro has no viewers: with one in use the plan cannot come, and makes no difference."""
    state = waiting(started(BOTH, PRO, viewer=5), plan="pro")

    assert listed(state) == [Effect(Outlook.AS_ASKED, money("80.00"))]
    assert listed(in_use(state, VIEWER, 1)) == [Effect(Outlook.DROPPED, money("0.00"))]


def test_an_end_drops_what_waits_beside_it() -> None:
    """Eight editors and an end wait: the editors' change is dropped, and the end saves what eight cost."""
    state = turned(waiting(started(), editor=8), Turn(TurnKind.CANCEL), "2026-04-11")

    assert listed(state) == [
        Effect(Outlook.DROPPED, money("0.00")),
        Effect(Outlook.AS_ASKED, money("-80.00")),
    ]


def test_changes_wait_for_the_end_of_a_trial_and_of_a_pause() -> None:
    """Two editors less: 20.00 less in the first paid month, and in the month that follows a pause."""
    pausing = turned(waiting(paid(started()), editor=8), Turn(TurnKind.PAUSE), "2026-04-16")

    assert listed(waiting(tried(), editor=8)) == [Effect(Outlook.AS_ASKED, money("-20.00"))]
    assert listed(pausing) == [Effect(Outlook.AS_ASKED, money("-20.00"))]


def test_what_has_ended_waits_for_nothing() -> None:
    """No renewal, no period, no effect."""
    over = turned(started(), Turn(TurnKind.CANCEL, ChangeTiming.NOW), "2026-04-16")

    assert (over.subscription.status, opening(over), effects(over)) == (SubscriptionStatus.ENDED, None, {})


def test_the_outlook_is_what_happens() -> None:
    """Down to 5 with 7 in use: foretold as raised at 30.00 less, and May costs 70.00."""
    state = in_use(waiting(started(), editor=5), EDITOR, 7)

    assert listed(state) == [Effect(Outlook.RAISED, money("-30.00"))]
    assert brought_up(state, "2026-05-01").lines[0].line.amount == money("70.00")
