"""The rate limit: a member spends points, and whoever has spent them all is told when to come again."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api import rates
from app.api.allowances import Limits
from app.api.auth import hash_token, new_token
from app.api.cost import MUTATION_POINTS
from app.api.endpoint import PARSE_POINTS
from app.api.rates import Rates
from app.billing.permissions import Actor
from app.main import create_app
from app.metrics import REGISTRY
from tests.api.tiny import ACTOR, SETTINGS, World, tiny_parts
from tests.conftest import Clock

ADA, BOB = UUID(int=11), UUID(int=12)
LIMITS = Limits(cost=100, points=100)


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime(2026, 4, 16, 9, 30, tzinfo=UTC))


class People:
    """The tiny application with two members of one customer, at a clock that stands still."""

    def __init__(self, http: httpx.AsyncClient, world: World, tokens: dict[UUID, str]) -> None:
        self.http, self.world, self.tokens = http, world, tokens

    async def ask(self, who: UUID, body: object) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.tokens[who]}"}
        return await self.http.post("/graphql", json=body, headers=headers)

    async def read(self, who: UUID) -> int:
        """The status of the cheapest query, of one point."""
        return (await self.ask(who, {"query": "{ balance }"})).status_code


@pytest.fixture
async def people(clock: Clock) -> AsyncIterator[People]:
    world, tokens = World(), {member: new_token()[0] for member in (ADA, BOB)}
    actors = {hash_token(token): replace(ACTOR, member=member) for member, token in tokens.items()}

    async def who(token_hash: bytes) -> Actor | None:
        return actors.get(token_hash)

    parts = replace(tiny_parts(world), who=who, clock=clock)
    app = cast("Any", create_app(replace(SETTINGS, limits=LIMITS), parts))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t") as http:
        ready = People(http, world, tokens)
        for query in ("{ balance }", "mutation { refund }"):  # By Bob, who pays for it that they are parsed.
            assert (await ready.ask(BOB, {"query": query})).status_code == 200
        world.log.clear()
        world.paid = 0
        yield ready


async def test_the_point_after_the_last_is_refused(people: People, clock: Clock) -> None:
    """Of 100 points a minute the 101st is refused with 429, `Retry-After` and `retryAfter`: all of them take
    60 seconds to come back, one 0.6, so in 1 second there is one. Another member is not affected.
    """
    assert [await people.read(ADA) for _ in range(100)] == [200] * 100
    before = REGISTRY.get_sample_value("seatport_limited_total", {"limit": "points"}) or 0

    answer = await people.ask(ADA, {"query": "{ balance }"})

    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    (error,) = answer.json()["errors"]
    assert error["extensions"] == {"code": "RATE_LIMITED", "retryAfter": 1}
    assert "Send the same request again in 1 seconds." in error["message"]
    assert len(people.world.log) == 100
    assert REGISTRY.get_sample_value("seatport_limited_total", {"limit": "points"}) == before + 1
    assert await people.read(BOB) == 200
    clock.advance(timedelta(seconds=1))
    assert [await people.read(ADA) for _ in range(2)] == [200, 429]


async def test_what_is_dear_takes_more(people: People) -> None:
    """A mutation takes 40 points: two leave 20, and the third is to wait 12 seconds, for 20 more."""
    mutation = {"query": "mutation { refund }"}
    answers = [await people.ask(ADA, mutation) for _ in range(3)]

    assert MUTATION_POINTS == 40
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 12 <= int(answers[2].headers["retry-after"]) <= 13
    assert people.world.paid == -2
    assert await people.read(ADA) == 200


@pytest.mark.parametrize("query", ["{", "{ nothing }", "{" + " a: balance" * 31 + "}"])
async def test_mistakes_are_work_too(people: People, query: str) -> None:
    """A document that is not known takes ten points besides its one, so ten a minute are told their mistake;
    then the answer is 429 and nothing is parsed.
    """
    statuses = [(await people.ask(ADA, {"query": query})).status_code for _ in range(12)]

    assert PARSE_POINTS == 10
    assert statuses == [200] * 10 + [429] * 2


async def test_a_new_document_is_work_once(people: People) -> None:
    """Its first request takes eleven points, each further one a point: 90 in all."""
    query = {"query": "{ nothingElse: balance }"}
    statuses = [(await people.ask(ADA, query)).status_code for _ in range(91)]

    assert statuses == [200] * 90 + [429]


@given(st.lists(st.tuples(st.integers(0, 120), st.integers(0, 3_000)), max_size=60))
def test_nobody_spends_more_than_the_rate(steps: list[tuple[int, int]]) -> None:
    """Whatever the pauses and prices: in any time, at most the bucket and what flowed into it; and a wait
    that was told is enough.
    """
    clock = Clock(datetime(2026, 4, 16, tzinfo=UTC))
    limit, start, spent = Rates(1_000, clock), clock.now, 0
    for pause, points in steps:
        clock.advance(timedelta(seconds=pause))
        wait = limit.spend(ADA, points)
        if not wait:
            spent += points
        elif points <= 1_000:
            clock.advance(timedelta(seconds=wait))
            assert limit.spend(ADA, points) == 0
            spent += points
        assert spent <= 1_000 + 1_000 * (clock.now - start) / timedelta(minutes=1) + 1e-6


def test_a_clock_set_back_gives_nothing_and_takes_nothing(clock: Clock) -> None:
    """An hour back, the bucket holds what it held, and fills from there on."""
    limit = Rates(60, clock)
    assert limit.spend(ADA, 50) == 0

    clock.advance(timedelta(hours=-1))

    assert limit.spend(ADA, 10) == 0
    assert limit.spend(ADA, 1) == 1
    clock.advance(timedelta(seconds=1))
    assert limit.spend(ADA, 1) == 0


def test_buckets_are_bounded(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten million members do not fill the memory: buckets that are full again are forgotten first."""
    monkeypatch.setattr(rates, "BUCKETS_MAX", 100)
    limit = Rates(60, clock)
    limit.spend(ADA, 60)
    clock.advance(timedelta(seconds=59))
    for number in range(1_000):
        limit.spend(UUID(int=100 + number), 60)

    assert len(limit) <= 100
    assert limit.spend(UUID(int=1_099), 1) == 1


def test_without_a_limit_everybody_asks_freely(clock: Clock) -> None:
    """0 points are no limit, and a caller who is no member has no bucket."""
    assert Rates(0, clock).spend(ADA, 10**9) == 0
    assert Rates(10, clock).spend(None, 10**9) == 0
