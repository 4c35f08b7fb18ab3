"""`seatport api-key`: keys are made, listed and revoked by an operator."""

from __future__ import annotations

import pytest

from app.services.api_keys import is_token
from tests.cli.conftest import Seatport


def test_it_prints_the_token_and_nothing_else(seatport: Seatport) -> None:
    """One line that a script can take."""
    result = seatport("api-key", "--scope", "all")

    assert result.exit_code == 0, result.output
    assert is_token(result.stdout.removesuffix("\n"))
    assert result.stderr == ""


def test_keys_are_listed_without_their_tokens(seatport: Seatport) -> None:
    """Each with its name and scopes, several of which are given at once."""
    token = seatport(
        "api-key", "--scope", "seats:write,customers:write", "--scope", "seats:read", "--name", "shop"
    )

    listed = seatport("api-key", "--list").stdout

    assert "shop  seats:write customers:write seats:read  since " in listed
    assert token.stdout.strip() not in listed


def test_a_key_is_revoked_by_its_id(seatport: Seatport) -> None:
    """It stays listed, with the day; an id that no key has is told."""
    seatport("api-key", "--scope", "all")
    key = seatport("api-key", "--list").stdout.split()[0]

    assert seatport("api-key", "--revoke", key).exit_code == 0
    assert "revoked" in seatport("api-key", "--list").stdout
    unknown = seatport("api-key", "--revoke", f"{key[:-4]}0000")
    assert unknown.exit_code == 1
    assert "There is no such API key." in unknown.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--scope", "moon"),
        ("--scope", ""),
        ("--scope", "all", "--list"),
        ("--scope", "all", "--name", ""),
    ],
)
def test_what_makes_no_key_is_told(seatport: Seatport, arguments: tuple[str, ...]) -> None:
    """A scope that does not exist, none, two wishes at once, no name: one line, and no key."""
    result = seatport("api-key", *arguments)

    assert result.exit_code != 0
    assert result.stdout == ""
    assert seatport("api-key", "--list").stdout == ""
