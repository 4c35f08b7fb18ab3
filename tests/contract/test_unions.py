"""What each mutation can answer: one fact, and exactly the refusals of its service."""

from types import UnionType
from typing import Any, get_args, get_origin

import pytest
from graphql import GraphQLUnionType, build_schema

from app.api.refusals import Core
from app.api.schema import sdl
from app.billing import refusals
from app.services.assign_seat import AssignSeatRefusal, SeatAssigned
from app.services.cancel_scheduled_change import CancelRefusal, ScheduledChangeCancelled
from app.services.cancel_subscription import (
    CancelSubscriptionRefusal,
    PreviewCancelRefusal,
    SubscriptionCancelled,
)
from app.services.change_plan import ChangePlanRefusal, PlanChanged, PlanChangePending
from app.services.preview_change_plan import PreviewRefusal
from app.services.release_seat import ReleaseSeatRefusal, SeatReleased
from app.services.resume_subscription import (
    PreviewResumeRefusal,
    ResumeSubscriptionRefusal,
    SubscriptionResumed,
)

KEY_IS_CHECKED, HAS_TO_WAIT = refusals.InvalidInput, refusals.Busy


def names(annotation: Any) -> set[str]:
    """The class names in a union, generics by their origin."""
    parts = (
        get_args(annotation) if isinstance(annotation, UnionType) or get_args(annotation) else (annotation,)
    )
    return {(get_origin(part) or part).__name__ for part in parts}


def union(name: str) -> set[str]:
    """The members of a union of the schema."""
    kind = build_schema(sdl()).type_map[name]
    assert isinstance(kind, GraphQLUnionType)
    return {member.name for member in kind.types}


@pytest.mark.parametrize(
    ("result", "fact", "expected"),
    [
        ("PreviewChangePlanResult", "ChangeQuote", names(PreviewRefusal)),
        (
            "ChangePlanResult",
            PlanChanged.__name__,
            names(ChangePlanRefusal) | {PlanChangePending.__name__, HAS_TO_WAIT.__name__},
        ),
        (
            "CancelScheduledChangeResult",
            ScheduledChangeCancelled.__name__,
            names(CancelRefusal) | {HAS_TO_WAIT.__name__, KEY_IS_CHECKED.__name__},
        ),
        ("PreviewCancelSubscriptionResult", "ChangeQuote", names(PreviewCancelRefusal)),
        (
            "CancelSubscriptionResult",
            SubscriptionCancelled.__name__,
            names(CancelSubscriptionRefusal) | {HAS_TO_WAIT.__name__},
        ),
        ("PreviewResumeSubscriptionResult", "ChangeQuote", names(PreviewResumeRefusal)),
        ("AssignSeatResult", SeatAssigned.__name__, names(AssignSeatRefusal) | {HAS_TO_WAIT.__name__}),
        ("ReleaseSeatResult", SeatReleased.__name__, names(ReleaseSeatRefusal) | {HAS_TO_WAIT.__name__}),
        (
            "ResumeSubscriptionResult",
            SubscriptionResumed.__name__,
            names(ResumeSubscriptionRefusal) | {HAS_TO_WAIT.__name__},
        ),
    ],
)
def test_a_union_has_the_refusals_of_its_service(result: str, fact: str, expected: set[str]) -> None:
    """Neither a refusal that the schema hides nor one that no service gives; the door adds Busy, and
    InvalidInput for a key that is none. A change may also wait for its payment.
    """
    assert union(result) == {fact, *expected}


def test_every_refusal_of_billing_has_a_type_and_implements_the_interface() -> None:
    """A client that knows `Refusal` alone understands them all."""
    schema = build_schema(sdl())
    refusal = schema.type_map["Refusal"]

    implementing = {kind.name for kind in schema.get_implementations(refusal).objects}  # type: ignore[arg-type]

    of_billing = {
        name
        for name, kind in vars(refusals).items()
        if isinstance(kind, type) and kind.__module__ == refusals.__name__ and name != "Problem"
    }
    assert implementing == of_billing == names(Core)


def test_every_mutation_answers_with_a_union_of_one_fact_and_refusals() -> None:
    """Verb first, one input, and a result named after it; a change of plan can also be on its way."""
    schema = build_schema(sdl())
    assert schema.mutation_type is not None
    for name, field in schema.mutation_type.fields.items():
        title = name[0].upper() + name[1:]
        assert str(field.type) == f"{title}Result!"
        assert {argument: str(given.type) for argument, given in field.args.items()} == {
            "input": f"{title}Input!"
        }
        refusing = {kind.name for kind in schema.get_implementations(schema.type_map["Refusal"]).objects}  # type: ignore[arg-type]
        waiting = {PlanChangePending.__name__} if name == "changePlan" else set()
        assert len(union(f"{title}Result") - refusing - waiting) == 1
