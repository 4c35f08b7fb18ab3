"""How the resolvers of one request read: in waves.

Resolvers that run side by side all ask for what they need and wait. Once nobody asks any more, everything
asked is read together, in one hop to the database: of many rows of a kind by one statement. Then all go on
together, and their next questions are the next wave. So the number of statements depends on the shape of a
query and not on how many rows it finds, and all of an answer is of one state.

The same question in one request is asked once.
"""

import asyncio
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from app.billing.overrides import Override, own_plans
from app.billing.parties import Catalog
from app.billing.plans import Item, SeatMetric
from app.store import catalogs, customers, overrides
from app.store.customers import Customer
from app.store.transaction import ReadScope, Tx

P = ParamSpec("P")
T = TypeVar("T")
Key = TypeVar("Key", bound=Hashable)

QUIET_TURNS: Final = 4
"""A wave leaves when so many turns of the event loop brought no further question. Resolvers of one level need
one or two turns from an answer to their next question, however many they are.
"""


class Scene:
    """The transaction that a request reads in, with what nearly every query needs besides."""

    def __init__(self, tx: Tx) -> None:
        self.tx = tx
        self._found: dict[Hashable, Any] = {}

    @cached_property
    def customer(self) -> Customer:
        """The customer whose member asks."""
        found = customers.get(self.tx)
        assert found is not None, "a signed-in member belongs to a customer"
        return found

    @cached_property
    def catalog(self) -> Catalog:
        """What is on offer now, at the prices of the customer."""
        applied = catalogs.current(self.tx)
        plans = own_plans(applied.plans, self.customer.currency, self.overrides, self.tx.at)
        return replace(applied, plans=plans) if self.overrides else applied

    @cached_property
    def overrides(self) -> tuple[Override, ...]:
        """What was agreed with the customer and has not ended."""
        return overrides.recorded(self.tx, since=self.tx.at)

    def once(self, query: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """What a function of the store finds; asked once in a request, however many queries need it."""
        question = (query, args, tuple(sorted(kwargs.items())))
        if question not in self._found:
            self._found[question] = query(self.tx, *args, **kwargs)
        found: T = self._found[question]
        return found

    def metric(self, code: str) -> SeatMetric:
        """A seat metric by its code; one that left the catalog is called by its code."""
        return self.catalog.metric(code) or SeatMetric(Item(code), code)


Batch = Callable[[Scene, tuple[Key, ...]], Mapping[Key, T]]
"""Reads the values of many keys at once; keys that have none are left out."""


@dataclass(slots=True)
class _Wave:
    """The questions that are asked together, each with those who wait for its answer."""

    queries: list[tuple[Callable[[Scene], Any], asyncio.Future[Any]]] = field(default_factory=list)
    batches: dict[Batch[Any, Any], dict[Hashable, asyncio.Future[Any]]] = field(default_factory=dict)
    size: int = 0

    def answers(self, scene: Scene) -> list[tuple[asyncio.Future[Any], Any]]:
        """Read everything that was asked."""
        found = [(future, query(scene)) for query, future in self.queries]
        for batch, waiting in self.batches.items():
            values = batch(scene, tuple(waiting))
            found += [(future, values.get(key)) for key, future in waiting.items()]
        return found

    def futures(self) -> list[asyncio.Future[Any]]:
        """Everybody who waits."""
        of_batches = (future for waiting in self.batches.values() for future in waiting.values())
        return [*(future for _, future in self.queries), *of_batches]


class Reading:
    """All that one request reads, from one state of the rows. After a mutation a new one takes its place."""

    def __init__(self, scope: ReadScope) -> None:
        self._scope = scope
        self._scene: Scene | None = None
        self._asked: dict[Hashable, asyncio.Future[Any]] = {}
        self._wave: _Wave | None = None
        self._under_way: set[asyncio.Task[None]] = set()

    async def read(
        self, query: Callable[Concatenate[Scene, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """What a query finds. Its arguments are values that can be compared."""
        question = (query, args, tuple(sorted(kwargs.items())))
        if question not in self._asked:
            future = self._question(question)
            self._joined().queries.append((lambda scene: query(scene, *args, **kwargs), future))
        # Somebody who is cancelled must not take the answer away from others who wait for it.
        answer: T = await asyncio.shield(self._asked[question])
        return answer

    async def each(self, batch: Batch[Key, T], key: Key) -> T | None:
        """The value of one key, read together with those of all the keys that are asked for at the time."""
        question = (batch, key)
        if question not in self._asked:
            self._joined().batches.setdefault(batch, {})[key] = self._question(question)
        answer: T | None = await asyncio.shield(self._asked[question])
        return answer

    def _question(self, question: Hashable) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        future.add_done_callback(_heard)
        self._asked[question] = future
        return future

    def _joined(self) -> _Wave:
        """The wave that leaves next, with one more question."""
        if self._wave is None:
            self._wave = _Wave()
            asyncio.get_running_loop().call_soon(self._leave_when_quiet, self._wave, 0, QUIET_TURNS)
        self._wave.size += 1
        return self._wave

    def _leave_when_quiet(self, wave: _Wave, size_before: int, turns: int) -> None:
        loop = asyncio.get_running_loop()
        if wave.size != size_before:
            loop.call_soon(self._leave_when_quiet, wave, wave.size, QUIET_TURNS)
        elif turns:
            loop.call_soon(self._leave_when_quiet, wave, wave.size, turns - 1)
        else:
            self._wave = None
            task = loop.create_task(self._ride(wave))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _ride(self, wave: _Wave) -> None:
        try:
            found = await self._scope.run(self._answers, wave)
        except Exception as error:  # noqa: BLE001  Whoever asked hears of it.
            for future in wave.futures():
                future.set_exception(error)
            return
        for future, value in found:
            future.set_result(value)

    def _answers(self, tx: Tx, wave: _Wave) -> list[tuple[asyncio.Future[Any], Any]]:
        if self._scene is None:
            self._scene = Scene(tx)
        return wave.answers(self._scene)


def _heard(future: asyncio.Future[Any]) -> None:
    """Mark an error as heard: the one who asked may have been cancelled."""
    if not future.cancelled():
        future.exception()
