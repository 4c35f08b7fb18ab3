"""Webhook endpoints as the vendor's programs keep them, and what they see of deliveries."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest
from standardwebhooks import Webhook

from app.clock import wall_clock
from app.gateways.addresses import Guard
from app.gateways.webhooks import HttpSender
from app.services.webhook_secrets import Keyring
from app.settings import Mode
from tests.api.rest.caller import Caller, calling
from tests.api.world import World
from tests.conftest import Clock
from tests.gateways.posting import HERE, delivering
from tests.gateways.receiver import answer, receiving
from tests.portal import SETTINGS

HOOKS: Final = "/v1/webhook-endpoints"
URL: Final = "https://hooks.example.com/in"


@pytest.fixture
async def http() -> AsyncIterator[HttpSender]:
    sender = HttpSender(HERE)
    yield sender
    await sender.close()


async def deliver(caller: Caller, http: HttpSender) -> None:
    """What the worker does."""
    out = delivering(caller.world.store, http)
    await replace(out, keyring=Keyring(SETTINGS.secret)).once()


async def change(caller: Caller, key: str) -> None:
    """Something happens: somebody takes a seat."""
    event = {"customer": "acme", "metric": "editor", "add": 1, "idempotencyKey": key}
    await caller.post("/v1/seat-events", event, 200)


async def test_an_endpoint_is_told_and_looked_at(caller: Caller, http: HttpSender) -> None:
    """Added, told of a seat, and all of it listed: the endpoint, the message, the try."""
    async with receiving(answer(200)) as receiver:
        made = await caller.post(HOOKS, {"url": receiver.url, "types": ["seats.changed"]})
        await change(caller, "one")
        await deliver(caller, http)

    (got,) = receiver.received
    endpoint = made["endpoint"]
    assert made["secret"].startswith("whsec_")
    assert endpoint["types"] == ["seats.changed"]
    assert await caller.get(HOOKS) == {"endpoints": [endpoint]}
    assert await caller.get(f"{HOOKS}/{endpoint['id']}") == endpoint
    listed = await caller.get(f"{HOOKS}/{endpoint['id']}/deliveries")
    (delivery,) = listed["deliveries"]
    assert (delivery["status"], delivery["type"], delivery["nextAt"]) == ("DELIVERED", "seats.changed", None)
    assert delivery["message"] == got.headers["webhook-id"]
    assert [(each["number"], each["status"]) for each in delivery["attempts"]] == [(1, 200)]
    assert listed["next"] is None
    assert made["secret"] not in json.dumps(listed)


async def test_pages_of_deliveries(caller: Caller, http: HttpSender) -> None:
    """Five messages, two a page, latest first; by status; a page that is none is told."""
    async with receiving(answer(500)) as receiver:
        made = await caller.post(HOOKS, {"url": receiver.url})
        path = f"{HOOKS}/{made['endpoint']['id']}/deliveries"
        for number in range(5):
            await change(caller, str(number))
        await deliver(caller, http)
    pages = [await caller.get(f"{path}?first=2")]
    while pages[-1]["next"]:
        pages.append(await caller.get(f"{path}?first=2&after={pages[-1]['next']}"))

    assert [len(page["deliveries"]) for page in pages] == [2, 2, 1]
    ids = [each["id"] for page in pages for each in page["deliveries"]]
    assert ids == sorted(ids, reverse=True)
    assert len((await caller.get(f"{path}?status=WAITING"))["deliveries"]) == 5
    for status in ("FAILED", "DELIVERED"):
        assert (await caller.get(f"{path}?status={status}"))["deliveries"] == []
    for query in ("after=dlv_x", "status=LOST", "first=0", "first=101", "first=x"):
        await caller.refused("GET", f"{path}?{query}", None, "bad-request")


async def test_a_message_is_replayed(caller: Caller, http: HttpSender) -> None:
    """Sent again under its id; at another endpoint's address the delivery is not found."""
    async with receiving(answer(200)) as receiver:
        made = await caller.post(HOOKS, {"url": receiver.url, "types": ["seats.changed"]})
        other = await caller.post(HOOKS, {"url": URL, "types": ["invoice.paid"]})
        path = f"{HOOKS}/{made['endpoint']['id']}/deliveries"
        await change(caller, "one")
        await deliver(caller, http)
        (before,) = (await caller.get(path))["deliveries"]
        waits = await caller.post(f"{path}/{before['id']}/replay", None, 200)
        await deliver(caller, http)

    assert waits["status"] == "WAITING"
    first, second = receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    (after,) = (await caller.get(path))["deliveries"]
    assert (after["status"], len(after["attempts"])) == ("DELIVERED", 2)
    elsewhere = f"{HOOKS}/{other['endpoint']['id']}/deliveries/{before['id']}/replay"
    await caller.refused("POST", elsewhere, None, "not-found")


async def test_an_endpoint_is_tried_out(caller: Caller) -> None:
    """A signed message of type `webhook.test`, at once; whatever comes of it is told, and nothing is kept."""
    caller.world.clock.now = wall_clock()
    async with receiving(answer(204)) as receiver:
        made = await caller.post(HOOKS, {"url": receiver.url})
        path = f"{HOOKS}/{made['endpoint']['id']}"
        good = await caller.post(f"{path}/test", None, 200)
        receiver.behave = answer(418)
        bad = await caller.post(f"{path}/test", None, 200)
    gone = await caller.post(f"{path}/test", None, 200)

    got = receiver.received[0]
    told = Webhook(made["secret"]).verify(got.body, got.headers)
    assert (told["type"], told["data"]) == ("webhook.test", {"endpoint": made["endpoint"]["id"]})
    assert (good["delivered"], good["status"], good["error"]) == (True, 204, None)
    assert (bad["delivered"], bad["status"]) == (False, 418)
    assert (gone["delivered"], gone["status"], gone["error"]) == (False, None, "no connection, or it broke")
    assert (await caller.get(f"{path}/deliveries"))["deliveries"] == []


async def test_a_secret_is_rotated(caller: Caller) -> None:
    """Each new one is told once, and signs beside the old one for a day; there are five at a time."""
    made = await caller.post(HOOKS, {"url": URL})
    path = f"{HOOKS}/{made['endpoint']['id']}/rotate"
    secrets = {made["secret"]}
    for _ in range(4):
        rotated = await caller.post(path, None, 200)
        assert rotated["secret"] not in secrets
        assert rotated["bothUntil"] == "2026-04-17T16:00:00Z"
        secrets.add(rotated["secret"])

    await caller.refused("POST", path, None, "invalid-input")
    caller.world.clock.advance(timedelta(days=1))
    await caller.post(path, None, 200)


async def test_an_endpoint_is_disabled_enabled_and_removed(caller: Caller) -> None:
    """Each is told by the endpoint; once removed it is not found, and there is room for another."""
    made = await caller.post(HOOKS, {"url": URL})
    path = f"{HOOKS}/{made['endpoint']['id']}"

    disabled = await caller.post(f"{path}/disable", None, 200)
    again = await caller.post(f"{path}/disable", None, 200)
    enabled = await caller.post(f"{path}/enable", None, 200)
    removed = await caller.call("DELETE", path)

    assert (disabled["disabledBecause"], disabled["disabledAt"]) == ("BY_VENDOR", "2026-04-16T16:00:00Z")
    assert again == disabled
    assert enabled == removed.json() == made["endpoint"]
    assert await caller.get(HOOKS) == {"endpoints": []}
    for method, rest in (
        ("GET", ""),
        ("DELETE", ""),
        ("POST", "/enable"),
        ("POST", "/test"),
        ("POST", "/rotate"),
    ):
        await caller.refused(method, path + rest, None, "not-found")


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({"url": "http://hooks.example.com/"}, ["url"]),
        ({"url": "https://169.254.169.254/latest"}, ["url"]),
        ({"url": "https://user@hooks.example.com/"}, ["url"]),
        ({"url": URL, "types": ["invoice.paid", "moon.full", "webhook.test"]}, ["types", "types"]),
        ({"url": "", "types": ["x"]}, ["types", "url"]),
    ],
)
async def test_an_endpoint_that_makes_no_sense(
    caller: Caller, body: dict[str, Any], paths: list[str]
) -> None:
    """All that is wrong is told at once, and nothing is made."""
    problem = await caller.refused("POST", HOOKS, body, "invalid-input")

    assert [each["path"] for each in problem["problems"]] == paths
    assert await caller.get(HOOKS) == {"endpoints": []}


async def test_there_are_only_so_many(caller: Caller) -> None:
    """Twenty endpoints, and not one more until one is removed."""
    made = [await caller.post(HOOKS, {"url": f"{URL}/{number}"}) for number in range(20)]

    await caller.refused("POST", HOOKS, {"url": URL}, "invalid-input")
    await caller.call("DELETE", f"{HOOKS}/{made[0]['endpoint']['id']}")
    await caller.post(HOOKS, {"url": URL})


async def test_production_reaches_no_machine_of_ours(world: World, clock: Clock) -> None:
    """There an endpoint on 127.0.0.1 is refused; elsewhere it is for trying things out."""
    async with calling(world, clock, replace(SETTINGS, mode=Mode.PRODUCTION)) as caller:
        await caller.refused("POST", HOOKS, {"url": "http://127.0.0.1:9999/"}, "invalid-input")
    assert Guard(loopback=True) == HERE
