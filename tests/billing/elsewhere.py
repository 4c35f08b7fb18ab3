"""A machine in another place: nothing in the rules may ask for its own zone."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def standing_in(zone: str) -> Iterator[None]:
    """As if the machine stood in a zone."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = zone
    time.tzset()
    try:
        yield
    finally:
        del os.environ["TZ"]
        if before is not None:
            os.environ["TZ"] = before
        time.tzset()
