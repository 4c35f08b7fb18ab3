"""Nobody else's: whatever of another customer somebody names, the answer is that of a thing that never was,
byte for byte; and no answer holds a word of theirs.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from uuid import UUID, uuid4

import httpx
from sqlalchemy import select

from app.api.ids import Kind, PublicId, decode, encode
from app.api.links import DocumentLinks
from app.api.webhook_events import EVENTS
from app.billing.permissions import SYSTEM, Role
from app.services.record_seats import SeatReport, record_seats
from app.services.webhook_secrets import Keyring
from app.services.webhooks import NewEndpoint, add_endpoint
from app.store import webhooks
from app.store.metadata import metadata
from app.store.transaction import BatchTx
from tests.api.schema.asking import OPERATIONS, operation
from tests.api.world import World
from tests.conftest import Clock
from tests.isolation import places
from tests.portal import SETTINGS, Portal, serving

SHORTEST: Final = 8
PUBLIC: Final = {"Editor", "Viewer", "globex", "America/New_York", "Europe/Berlin"}
SHARED_KEY: Final = "a key of both"
T = TypeVar("T")


@dataclass
class Asker:
    """Acme's people, one of each role, who ask; the ids of globex, and words that are of globex alone."""

    portal: Portal
    tokens: dict[Role, str]
    ids: dict[Kind, list[str]]
    words: set[str]

    async def post(self, role: Role, request: places.Request) -> httpx.Response:
        """The answer to an operation, which holds nothing of globex but what was sent."""
        text, variables = request
        answer = await self.portal.post(self.tokens[role], text, **variables)
        sent = json.dumps(variables)
        leaked = [word for word in self.words if word in answer.text and word not in sent]
        assert leaked == [], (text, variables, answer.text)
        assert answer.status_code == 200, answer.text
        return answer


@asynccontextmanager
async def asking(world: World, clock: Clock) -> AsyncIterator[Asker]:
    """Both customers lived on, so that each has every kind of thing that has an id."""
    keyring, new = Keyring(SETTINGS.secret), NewEndpoint("http://127.0.0.1:1/in")
    await world.store.deployment(add_endpoint, SYSTEM, keyring, new, known=EVENTS, loopback=True)
    for customer in (world.acme, world.globex):
        await live_on(world, customer)
    await world.store.batch(webhooks.hand_out, known=EVENTS, limit=1000)
    async with serving(world.store, clock) as portal:
        tokens = {role: await portal.let_in(world.acme, role, f"person {role.value}") for role in Role}
        await portal.let_in(world.globex, Role.OWNER, "canary person")
        rows = await world.store.look(all_rows)
        yield Asker(portal, tokens, ids_of(rows, world.globex), words_of(rows, world))


async def live_on(world: World, customer: UUID) -> None:
    """Seats are given back for a credit note and more are to go at renewal, by a key that both use."""
    found = await world.ask("{ customer { subscription { id } } }", customer=customer)
    given = {"subscriptionId": found["customer"]["subscription"]["id"], "idempotencyKey": SHARED_KEY}
    for key, how in ((SHARED_KEY, {"remove": 3}), ("later", {"remove": 4})):
        seats = [{"metric": "editor", "quantity": how}]
        timing = {"timing": "AT_RENEWAL"} if key == "later" else {}
        sent = {**given, "seats": seats, "idempotencyKey": key, **timing}
        answer = await world.ask(operation("changePlan"), customer=customer, input=sent)
        assert answer["changePlan"]["__typename"] == "PlanChanged", answer
    note = SeatReport("viewer", added=1, note=f"canary note of {customer}")
    await world.store.run(customer, record_seats, SYSTEM, note)


def all_rows(tx: BatchTx) -> dict[str, list[dict[str, Any]]]:
    """Every row of every customer, by table."""
    return {
        name: [dict(row._mapping) for row in tx.connection.execute(select(metadata.tables[name]))]
        for name in places.KIND_OF_TABLE | {"member": (), "seat_holder": ()}
    }


def ids_of(rows: dict[str, list[dict[str, Any]]], customer: UUID) -> dict[Kind, list[str]]:
    """The public ids of a customer's things; a document's as each of its kinds."""
    found: dict[Kind, list[str]] = {}
    for name, kinds in places.KIND_OF_TABLE.items():
        mine = [row for row in rows[name] if row["customer_id"] == customer]
        assert mine, f"globex has none in {name}"
        for kind in kinds:
            found[kind] = [encode(kind, row.get("id", customer)) for row in mine[:4]]
    return found


def words_of(rows: dict[str, list[dict[str, Any]]], world: World) -> set[str]:
    """Ids, names, numbers and notes that stand in rows of globex and in none of acme."""
    words: dict[UUID, set[str]] = {world.acme: set(), world.globex: set()}
    for name, of_table in rows.items():
        for row in of_table:
            words[row["customer_id"]] |= set(texts(row))
            for kind in places.KIND_OF_TABLE.get(name, ()):
                words[row["customer_id"]].add(encode(kind, row.get("id", row["customer_id"])))
    own = words[world.globex] - words[world.acme] - PUBLIC
    assert any("canary note" in word for word in own)
    return {word for word in own if len(word) >= SHORTEST}


def texts(value: Any) -> Iterator[str]:
    """Every text in a value."""
    if isinstance(value, str | UUID):
        yield str(value)
    elif isinstance(value, dict | list | tuple):
        for each in value.values() if isinstance(value, dict) else value:
            yield from texts(each)


def unknown(like: str) -> str:
    """An id of the same kind that nothing has."""
    decoded = decode(like)
    assert decoded is not None
    return encode(decoded.kind, uuid4())


def test_every_place_is_tried() -> None:
    """What takes an id, a cursor, a key or a token is in this proof; a new one fails here until it is."""
    tried = {*places.BY_ID, *places.LISTED, *places.KEYS, *places.TOKENS, *places.PEOPLE}

    assert places.graphql_places() == tried
    assert {kind for kinds in places.KIND_OF_TABLE.values() for kind in kinds} == set(Kind) - {
        Kind.WEBHOOK_ENDPOINT  # It is of no customer.
    }


async def test_a_foreign_id_is_answered_as_an_unknown_one(world: World, clock: Clock) -> None:
    """At every place, for every id of globex and every role of acme: no leak, and the same bytes."""
    async with asking(world, clock) as asker:
        tried = 0
        for place in places.BY_ID:
            for role in Role:
                for foreign in asker.ids.values():
                    nothing = unknown(foreign[0])
                    expected = (await asker.post(role, places.with_id(place, nothing))).text
                    for id in foreign:
                        answer = await asker.post(role, places.with_id(place, id))
                        assert answer.text.replace(id, nothing) == expected, (place, role, id)
                        tried += 1
    assert tried > len(places.BY_ID) * len(Role) * len(places.KIND_OF_TABLE)


async def test_lists_hold_nothing_of_others(world: World, clock: Clock) -> None:
    """From a cursor of globex on, or by its words, acme's lists hold what is acme's; so do all stored
    operations.
    """
    async with asking(world, clock) as asker:
        theirs = await asker.portal.let_in(world.globex, Role.OWNER, "somebody")
        for place in sorted(places.LISTED):
            text, variables = places.listed(place, None if "after" in place else "")
            found = (await asker.portal.post(theirs, text, **variables)).text
            cursors = {part.split('"')[0] for part in found.split('"cursor":"')[1:]}
            words = cursors if "after" in place else asker.words
            for word in sorted(words)[:12]:
                for role in (Role.OWNER, Role.VIEWER):
                    await asker.post(role, places.listed(place, word))
        for file in sorted(OPERATIONS.glob("*.graphql")):
            if "$input" not in file.read_text(encoding="utf-8") and "!" not in file.read_text("utf-8"):
                await asker.post(Role.OWNER, (operation(file.stem), {}))


async def test_keys_are_each_ones_own(world: World, clock: Clock) -> None:
    """A key that globex used does at acme what it says, once; nothing of globex is replayed."""
    async with asking(world, clock) as asker:
        holder = {"reference": "canary-free", "name": "New"}
        assign = {"metric": "editor", "holder": holder, "idempotencyKey": "of one"}
        mine = await world.ask(operation("assignSeat"), customer=world.globex, input=assign)
        assert mine["assignSeat"]["__typename"] == "SeatAssigned"
        answer = (await asker.post(Role.OWNER, (operation("assignSeat"), {"input": assign}))).json()
        assert answer["data"]["assignSeat"]["replayed"] is False
        release = {"metric": "editor", "reference": "user-0", "idempotencyKey": "of two"}
        await world.ask(operation("releaseSeat"), customer=world.globex, input=release)
        answer = (await asker.post(Role.OWNER, (operation("releaseSeat"), {"input": release}))).json()
        assert answer["data"]["releaseSeat"]["replayed"] is False


async def test_a_person_of_another_is_nobody(world: World, clock: Clock) -> None:
    """To release the seat of somebody who sits at globex alone is answered as for somebody who never was."""
    async with asking(world, clock) as asker:
        came = {"metric": "editor", "holder": {"reference": "only-at-globex"}, "idempotencyKey": "came"}
        await world.ask(operation("assignSeat"), customer=world.globex, input=came)
        answers = []
        for reference in ("only-at-globex", "only-in-a-dream"):
            sent = {"metric": "editor", "reference": reference, "idempotencyKey": "gone"}
            answer = await asker.post(Role.OWNER, (operation("releaseSeat"), {"input": sent}))
            answers.append(answer.text.replace(reference, "somebody"))
        assert answers[0] == answers[1]


async def test_a_quote_of_another_is_no_quote(world: World, clock: Clock) -> None:
    """A token that globex was given is answered at acme as one that nobody gave."""
    async with asking(world, clock) as asker:
        found = await world.ask("{ customer { subscription { id } } }", customer=world.globex)
        subscription = found["customer"]["subscription"]["id"]
        sent = {"subscriptionId": subscription, "seats": places.EDITORS}
        quote = await world.ask(operation("previewChangePlan"), customer=world.globex, input=sent)
        token = quote["previewChangePlan"]["token"]
        nonsense = f"{token[:-3]}AAA"
        for name in ("changePlan", "cancelSubscription", "resumeSubscription"):
            more = {"seats": places.EDITORS} if name == "changePlan" else {}
            given = {"subscriptionId": world.subscription_id, "idempotencyKey": "q", **more}
            text = operation(name)
            theirs = await asker.post(Role.OWNER, (text, {"input": {**given, "quoteToken": token}}))
            nobodys = await asker.post(Role.OWNER, (text, {"input": {**given, "quoteToken": nonsense}}))
            assert theirs.text.replace(token, nonsense) == nobodys.text, name


async def test_a_link_leads_to_ones_own_documents(world: World, clock: Clock) -> None:
    """Even signed by us: a link of acme to a document of globex is answered as one to nothing."""
    async with asking(world, clock) as asker:
        links = DocumentLinks(SETTINGS.public_url, SETTINGS.secret)
        answers = set()
        for kind in (Kind.INVOICE, Kind.CREDIT_NOTE):
            for id in (*asker.ids[kind], unknown(asker.ids[kind][0])):
                decoded = decode(id)
                assert decoded is not None
                named = PublicId(decoded.kind, decoded.id)
                url = links.sign_document_url(customer=world.acme, document=named, at=clock())
                answer = await asker.portal.http.get(url)
                answers.add((answer.status_code, answer.content))
    assert len(answers) == 1
    assert answers.pop()[0] == 403
