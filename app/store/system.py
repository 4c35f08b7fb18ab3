"""The few look-ups across customers: who signs in with this hash, what is due, which rows wait.

This is the closed list behind `store.system`. A look-up answers with references alone, a customer and an id
of it; whoever wants more comes through that customer's own door. For sign-in, worker and command line only.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec, TypeVar
from uuid import UUID

from app.store.transaction import DeploymentTx

P = ParamSpec("P")
Answer = TypeVar("Answer", bound="Reference | list[Reference] | None")


@dataclass(frozen=True, slots=True)
class Reference:
    """Where something is: its customer, and its id in the customer's rows."""

    customer: UUID
    id: UUID


LOOKUPS: Final[set[Callable[..., Any]]] = set()


def lookup(
    function: Callable[Concatenate[DeploymentTx, P], Answer],
) -> Callable[Concatenate[DeploymentTx, P], Answer]:
    """Put a function of this module on the list, and hold it to its promise to return references only."""

    @wraps(function)
    def held(tx: DeploymentTx, /, *args: P.args, **kwargs: P.kwargs) -> Answer:
        answer = function(tx, *args, **kwargs)
        found = answer if isinstance(answer, list) else [] if answer is None else [answer]
        assert all(type(item) is Reference for item in found), f"{function.__name__} returns references only"
        return answer

    LOOKUPS.add(held)
    return held
