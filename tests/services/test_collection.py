"""When Python does not search for garbage."""

import gc

import pytest

from app.services.collection import no_search


def fail() -> None:
    with no_search():
        with no_search():
            assert not gc.isenabled()
        assert not gc.isenabled()
        raise ZeroDivisionError


def test_garbage_is_searched_for_again_afterwards() -> None:
    """Not meanwhile, also inside another such time; and again after it, also where something was raised."""
    with pytest.raises(ZeroDivisionError):
        fail()

    assert gc.isenabled()


def test_who_searches_for_none_goes_on_so() -> None:
    """A process that never searches is not made to."""
    gc.disable()
    try:
        with no_search():
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.enable()
