"""Arguments and input fields that a client may leave out."""

from typing import TypeVar

import strawberry

ValueT = TypeVar("ValueT")


def given(value: ValueT | None) -> ValueT | None:
    """The value, None when it was left out or null. What is empty was given all the same."""
    return None if value is strawberry.UNSET else value
