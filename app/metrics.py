"""What Prometheus reads at `/metrics`: how requests go, what the database does, what waits, how the worker
gets on.

Each metric is a constant of this module. No label holds anybody's data: labels are routes, methods, statuses
and names out of the program, so there are as many series with ten thousand customers as with one. The numbers
are of this process alone, except `seatport_waiting`, its ages and `seatport_parked_subscriptions`, which are
read from the database, at most every few seconds however many ask.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

READ_AGAIN_SECONDS: Final = 5.0
TYPE: Final = CONTENT_TYPE_LATEST
REGISTRY: Final = CollectorRegistry()

disable_created_metrics()  # type: ignore[no-untyped-call]
ProcessCollector(registry=REGISTRY)

REQUESTS: Final = Counter(
    "seatport_requests",
    "Requests that were answered, by the address they were for.",
    ("route", "method", "status"),
    registry=REGISTRY,
)
REQUEST_SECONDS: Final = Histogram(
    "seatport_request_seconds",
    "How long requests took, from their head to the end of their answer.",
    ("route",),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=REGISTRY,
)
REQUESTS_UNDER_WAY: Final = Gauge(
    "seatport_requests_under_way", "Requests that are being answered now.", registry=REGISTRY
)
FAULTS: Final = Counter(
    "seatport_faults", "Faults of our own that a client was told of by a reference only.", registry=REGISTRY
)
STATEMENTS: Final = Counter(
    "seatport_statements", "Statements sent to the database.", ("door",), registry=REGISTRY
)
STATEMENTS_REFUSED: Final = Counter(
    "seatport_statements_refused",
    "Statements that were not sent since they did not say of which customer.",
    registry=REGISTRY,
)
WAITING: Final = Gauge(
    "seatport_waiting",
    "What is due and was not done yet, counted up to 10,000.",
    ("what",),
    registry=REGISTRY,
)
WAITING_SECONDS: Final = Gauge(
    "seatport_waiting_seconds", "Since when the oldest of it is due.", ("what",), registry=REGISTRY
)
PARKED: Final = Gauge(
    "seatport_parked_subscriptions",
    "Subscriptions that are not billed until somebody has looked at them, counted up to 10,000.",
    registry=REGISTRY,
)
DATABASE_UP: Final = Gauge(
    "seatport_database_up", "Whether the database answered when it was last asked.", registry=REGISTRY
)
WORKER_ROUNDS: Final = Counter(
    "seatport_worker_rounds",
    "Rounds of the worker beside the requests.",
    ("step", "outcome"),
    registry=REGISTRY,
)
WORKER_LAST_ROUND: Final = Gauge(
    "seatport_worker_last_round_timestamp_seconds",
    "When the worker's last round of a step ended.",
    ("step",),
    registry=REGISTRY,
)
BILLED: Final = Counter(
    "seatport_billed_subscriptions",
    "Subscriptions that came out of the billing run of this process, by what became of them.",
    ("outcome",),
    registry=REGISTRY,
)
LIMITED: Final = Counter(
    "seatport_limited", "GraphQL requests that a limit refused, by the limit.", ("limit",), registry=REGISTRY
)
OPERATION_POINTS: Final = Histogram(
    "seatport_operation_points",
    "What GraphQL operations that ran could have cost, in points.",
    buckets=(20, 50, 100, 200, 500, 1_000, 2_000, 5_000),
    registry=REGISTRY,
)
GRAPHQL_DOCUMENTS: Final = Counter(
    "seatport_graphql_documents",
    "GraphQL documents of requests: registered, kept from an earlier request, or parsed anew.",
    ("source",),
    registry=REGISTRY,
)


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits, by what it is: how many, and since how many seconds the oldest; and how many are parked."""

    waiting: Mapping[str, tuple[int, float]]
    parked: int


@dataclass(slots=True)
class Reading:
    """Reads what waits, once for all who ask within a few seconds."""

    read: Callable[[], Awaitable[Backlog]]
    again_seconds: float = READ_AGAIN_SECONDS
    _read_at: float = field(default=-math.inf, init=False)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def page(self) -> bytes:
        """All metrics as Prometheus reads them. A database that does not answer is told as such."""
        async with self._lock:
            if time.monotonic() - self._read_at >= self.again_seconds:
                await self._refresh()
                self._read_at = time.monotonic()
        return generate_latest(REGISTRY)

    async def _refresh(self) -> None:
        try:
            backlog = await self.read()
        except Exception:  # noqa: BLE001  Whatever it is, the other numbers are told.
            DATABASE_UP.set(0)
            for gauge in (WAITING, WAITING_SECONDS):
                gauge.clear()
            PARKED.set(math.nan)
            return
        DATABASE_UP.set(1)
        for what, (number, seconds) in backlog.waiting.items():
            WAITING.labels(what).set(number)
            WAITING_SECONDS.labels(what).set(seconds)
        PARKED.set(backlog.parked)
