"""Bearer tokens: what they look like, what is stored, and that every wrong one gets the same bytes."""

import hashlib
import re
from typing import Any

import pytest
from litestar import get
from litestar.di import NamedDependency
from litestar.testing import TestClient

from app.api.auth import Cookie, Holder, Who, actor_provider, hash_token, new_token
from app.api.origins import Origins
from app.billing.permissions import Actor
from app.main import create_app
from tests.api.tiny import SETTINGS, TOKEN, Tiny, World, tiny_app, tiny_parts

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


def who_of(holder: Holder) -> Who:
    """How it is known who asks, on a server at its tests' address."""
    return Who(holder, Cookie(secure=False), Origins("http://127.0.0.1:8000"))


@get("/who", sync_to_thread=False)
def who_am_i(actor: NamedDependency[Actor]) -> str:
    return actor.name


def test_other_handlers_ask_for_the_actor_as_a_dependency() -> None:
    """The same tokens; refused as a problem document, as everywhere outside of GraphQL."""
    parts = tiny_parts(World())
    app = create_app(SETTINGS, parts)
    app.register(
        get("/me", dependencies={"actor": actor_provider(who_of(parts.who))}, sync_to_thread=False)(
            who_am_i.fn
        )
    )
    with TestClient(app) as client:
        good = client.get("/me", headers={"Authorization": f"Bearer {TOKEN}"})
        wrong = client.get("/me")

    assert good.text == "Ada"
    assert (wrong.status_code, wrong.headers["www-authenticate"]) == (401, "Bearer")
    assert wrong.headers["content-type"] == "application/problem+json; charset=utf-8"
    assert wrong.json()["code"] == "UNAUTHENTICATED"
