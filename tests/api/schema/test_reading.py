"""Waves: what resolvers ask side by side is read together, once, and from one state."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from app.api.reading import Reading, Scene
from app.store import seats
from app.store.shield import StoreClosed
from app.store.transaction import ReadScope
from tests.api.world import World, sit_down

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"])


class Waves(Reading):
    """A reading that counts how often it goes to the database."""

    def __init__(self, scope: ReadScope) -> None:
        super().__init__(scope)
        self.hops = 0

    async def _ride(self, wave: object) -> None:
        self.hops += 1
        await super()._ride(wave)  # type: ignore[arg-type]


@pytest.fixture
async def waves(world: World) -> AsyncIterator[Waves]:
    """A reading of acme."""
    async with world.store.reads(world.acme) as scope:
        yield Waves(scope)


def name_of(scene: Scene) -> str:
    return scene.customer.name


def doubled(_: Scene, numbers: tuple[int, ...]) -> dict[int, int]:
    asked.append(numbers)
    return {number: 2 * number for number in numbers if number < 100}


def broken(_: Scene) -> str:
    raise ValueError("out of order")


asked: list[tuple[int, ...]] = []


async def test_what_is_asked_side_by_side_is_read_in_one_hop(waves: Waves) -> None:
    """Three numbers and a name: one hop, and one call for all the numbers, each once."""
    asked.clear()

    answers = await asyncio.gather(
        waves.each(doubled, 1), waves.each(doubled, 2), waves.each(doubled, 1), waves.read(name_of)
    )

    assert list(answers) == [2, 4, 2, "Acme"]
    assert (waves.hops, asked) == (1, [(1, 2)])


async def test_resolvers_of_different_depth_still_share_a_wave(waves: Waves) -> None:
    """One asks at once, another after two turns of the loop: as resolvers of one level do."""

    async def later() -> int | None:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return await waves.each(doubled, 3)

    assert list(await asyncio.gather(waves.each(doubled, 1), later())) == [2, 6]
    assert waves.hops == 1


async def test_the_same_question_is_asked_once_in_a_request(waves: Waves) -> None:
    """Later, too."""
    asked.clear()

    assert [await waves.each(doubled, 5), await waves.each(doubled, 5)] == [10, 10]
    assert [await waves.read(name_of), await waves.read(name_of)] == ["Acme", "Acme"]
    assert (waves.hops, asked) == (2, [(5,)])


async def test_a_key_without_a_value_is_none(waves: Waves) -> None:
    """A batch leaves out what it does not find."""
    assert await waves.each(doubled, 100) is None


async def test_an_error_reaches_everybody_who_waits_and_nobody_after(waves: Waves) -> None:
    """The wave fails as a whole; the next one is read."""
    answers = await asyncio.gather(waves.read(broken), waves.read(name_of), return_exceptions=True)

    assert [str(answer) for answer in answers] == ["out of order", "out of order"]
    assert await waves.each(doubled, 1) == 2


async def test_who_is_cancelled_takes_nothing_from_the_others(waves: Waves) -> None:
    """Two wait for the same; one gives up."""
    first = asyncio.create_task(waves.each(doubled, 7))
    second = asyncio.create_task(waves.each(doubled, 7))
    await asyncio.sleep(0)
    first.cancel()

    assert await second == 14
    assert first.cancelled() or first.cancelling()


async def test_all_of_a_request_is_of_one_state(world: World) -> None:
    """Somebody sits down between two waves of one request: it sees 3 in use both times, the next one 4."""

    def in_use(scene: Scene, _: int) -> int:
        return seats.levels(scene.tx)["editor"].in_use  # type: ignore[index]

    async with world.store.reads(world.acme) as scope:
        reading = Reading(scope)
        before = await reading.read(in_use, 1)
        await sit_down(world.store, world.acme, "late")
        after = await reading.read(in_use, 2)
    async with world.store.reads(world.acme) as scope:
        fresh = await Reading(scope).read(in_use, 3)

    assert (before, after, fresh) == (3, 3, 4)


async def test_nothing_is_read_after_the_request(world: World) -> None:
    """A question that comes too late fails; it does not open a connection that nobody closes."""
    async with world.store.reads(world.acme) as scope:
        reading = Reading(scope)

    with pytest.raises(StoreClosed):
        await reading.read(name_of)
