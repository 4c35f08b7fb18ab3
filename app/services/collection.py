"""Python's search for garbage, and when not to search. It goes through all objects again and again while
many are made, which costs a billing run a quarter of its time and finds nothing: what a batch made is let go
of as soon as nobody has it any more.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_search() -> Iterator[None]:
    """Search for no garbage meanwhile. Where two overlap, the one that began first decides."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
