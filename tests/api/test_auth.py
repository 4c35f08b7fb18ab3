"""Bearer tokens: what they look like, what is stored, and that every wrong one gets the same bytes."""

import hashlib
import re
from typing import Any

import pytest
from litestar.testing import TestClient

from app.api.auth import hash_token, new_token
from tests.api.tiny import TOKEN, Tiny, World, tiny_app

WRONG = [
    None,
    "",
    "Bearer",
    "Bearer ",
    TOKEN,
    f"Basic {TOKEN}",
    f"Bearer  {TOKEN}",
    f"Bearer {TOKEN} ",
    f"Bearer {TOKEN}x",
    f"Bearer {TOKEN[:-1]}",
    f"Bearer {TOKEN.upper()}",
    f"Bearer {TOKEN}, Bearer {TOKEN}",
    f"Bearer {new_token()[0]}",
    f"Bearer {'x' * 8000}",
    "Bearer spp_" + "é" * 43,
]


def test_a_token_is_256_random_bits_and_only_its_hash_is_kept() -> None:
    """`spp_` and 43 url-safe characters; the hash is plain SHA-256 of the text."""
    tokens = [new_token() for _ in range(100)]

    assert len({token for token, _ in tokens}) == 100
    assert all(re.fullmatch(r"spp_[A-Za-z0-9_-]{43}", token) for token, _ in tokens)
    assert all(
        hashed == hashlib.sha256(token.encode()).digest() == hash_token(token) for token, hashed in tokens
    )


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_has_no_capitals(tiny: Tiny, scheme: str) -> None:
    """HTTP says so, and clients differ."""
    answer = tiny.post("{ balance }", headers={"Authorization": f"{scheme} {TOKEN}"})

    assert answer.json() == {"data": {"balance": 0}}


def test_every_wrong_token_gets_the_same_bytes() -> None:
    """Missing, malformed, unknown: one answer, so nothing can be learned from it; and nothing runs."""
    world = World()
    answers = []
    with TestClient(tiny_app(world)) as client:
        for value in WRONG:
            headers: Any = {} if value is None else {"Authorization": value.encode()}
            answers.append(client.post("/graphql", json={"query": "mutation { refund }"}, headers=headers))
        twice = [("Authorization", f"Bearer {TOKEN}"), ("Authorization", f"Bearer {TOKEN}")]
        answers.append(client.post("/graphql", json={"query": "mutation { refund }"}, headers=twice))

    assert {(answer.status_code, answer.content) for answer in answers} == {(401, answers[0].content)}
    assert len({told(answer) for answer in answers}) == 1
    assert answers[0].headers["www-authenticate"] == "Bearer"
    assert answers[0].json() == {
        "errors": [
            {
                "message": "Sign in first: send the header `Authorization: Bearer …` "
                "with a token that is valid and has not expired.",
                "extensions": {"code": "UNAUTHENTICATED"},
            }
        ]
    }
    assert world.log == []


def told(answer: Any) -> tuple[tuple[str, str], ...]:
    """The headers of an answer, but for the id by which it is found in the log."""
    return tuple((name, value) for name, value in answer.headers.items() if name != "x-request-id")


def test_who_asks_is_known_before_the_body_is_read() -> None:
    """A stranger learns nothing about bodies and costs no parsing."""
    with TestClient(tiny_app(World())) as client:
        answers = [
            client.post("/graphql", content=b"{", headers={"Content-Type": "application/json"}),
            client.post("/graphql", content=b"x" * 200_000, headers={"Content-Type": "application/json"}),
            client.post("/graphql", content=b"x", headers={"Content-Type": "text/plain"}),
        ]

    assert [answer.status_code for answer in answers] == [401, 401, 401]
