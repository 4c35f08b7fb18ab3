"""Whatever is sent, a wrong input gets one clear answer that says what to do, and not a byte of any table
changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest
from sqlalchemy import select

from app.api.ids import Kind, decode, decode_as, encode
from app.services.quotes import QuoteSigner
from app.store.metadata import metadata
from app.store.transaction import BatchTx, Store
from tests.portal import SETTINGS, Portal
from tests.stories import page
from tests.stories.diary import Diary

MANY: Final = 2_147_483_647
NO_OFFSET: Final = ("2026-04-16T12:00:00", "2026-04-16", "yesterday", "2026-02-30T12:00:00Z", "")
BY_ID: Final = {
    "node": "query ($id: ID!) { node(id: $id) { __typename id } }",
    "invoice": "query ($id: ID!) { invoice(id: $id) { id } }",
    "creditNote": "query ($id: ID!) { creditNote(id: $id) { id } }",
}
TIMED: Final = (
    "query ($at: DateTime!) { customer { seatBalances(asOf: $at) { committed } } }",
    "query ($at: DateTime!) { customer { seatBalances(knownAt: $at) { committed } } }",
    "query ($at: DateTime!) { customer { seatEvents(from: $at) { edges { cursor } } } }",
    "query ($at: DateTime!) { customer { seatEvents(until: $at) { edges { cursor } } } }",
)


def digest(tx: BatchTx) -> str:
    """SHA-256 of every row of every table."""
    hashed = hashlib.sha256()
    for table in metadata.sorted_tables:
        rows = sorted(repr(tuple(row)) for row in tx.connection.execute(select(table)))
        hashed.update(f"{table.name} {rows}".encode())
    return hashed.hexdigest()


@asynccontextmanager
async def nothing_changes(store: Store) -> AsyncIterator[None]:
    """What is stored afterwards is what was stored before, to the last byte."""
    before = await store.look(digest)
    yield
    assert await store.look(digest) == before


async def lived(portal: Portal, name: str = "acme") -> Diary:
    """A customer of `team` with ten editors, seven of them in use, five by name, and a change that waits."""
    diary = await (await Diary.opened(portal, "2026-04-01", name=name)).starts("team", editor=10)
    for number in range(5):
        await diary.on("2026-04-02", f"10:0{number}").reports(holder=f"person-{number}", added=1)
    await diary.reports(added=2)
    await diary.on("2026-04-10").changes(editor=8, timing="AT_RENEWAL")
    return diary.on("2026-04-16")


ALTERED: Final = (
    "This quote token was not made for this subscription, or was altered. Preview the change again."
)
WRONG: Final = (
    ({"plan": "teem"}, "PlanNotAvailable", "There is no plan 'teem' on offer. Choose one of: free, simple,"),
    ({"interval": "QUARTER"}, "PlanNotAvailable", "In USD there is: MONTH."),
    ({"edtor": 3}, "InvalidInput", "Team has no seats called 'edtor'. It has: editor."),
    ({"editor": -1}, "InvalidInput", "total must be from 0 to 100000, not -1."),
    ({"editor": MANY}, "InvalidInput", f"total must be from 0 to 100000, not {MANY}."),
    ({"editor": "+0"}, "InvalidInput", "add must be from 1 to 100000, not 0."),
    ({"editor": "+100000"}, "InvalidInput", "100010 would be more than 100000 seats."),
    ({"editor": "-11"}, "InvalidInput", "11 cannot be removed: 10 are committed."),
    ({"editor": 6}, "SeatsInUse", "Release 1 seat first, or keep more."),
    ({"plan": "free"}, "AboveMaximum", "The plan allows at most 3 Editor seats; 10 were asked for."),
    ({"editor": 9, "mode": "FULL_IMMEDIATELY"}, "ProrationModeNotAllowed", "It allows: PRORATED_IMMEDIATELY"),
    ({"editor": 10, "plan": "team"}, "NothingToChange", "Ask for something else."),
)  # fmt: skip


@pytest.mark.parametrize(("what", "kind", "message"), WRONG, ids=[f"{what}" for what, _, _ in WRONG])
async def test_a_wrong_change_is_refused_with_what_to_do(
    portal: Portal, what: dict[str, Any], kind: str, message: str
) -> None:
    """The preview and the button say the same no, in words that lead on, and write nothing."""
    diary = await lived(portal)
    if kind == "NothingToChange":
        await diary.changes(editor=10)

    async with nothing_changes(portal.store):
        refused = await diary.is_refused(**what)

    assert refused["__typename"] == kind
    assert message in refused["message"]


async def test_numbers_that_no_seat_can_have_never_run(portal: Portal) -> None:
    """More than 32 bits, a half, a word: the schema's own types refuse them, and name the place."""
    diary = await lived(portal)

    async with nothing_changes(portal.store):
        for number in (MANY + 1, 2.5, "seven", None):
            seats = [{"metric": "editor", "quantity": {"total": number}}]
            asked = {"subscriptionId": diary.subscription, "seats": seats}
            body = (await portal.post(diary.token, page.PREVIEW, input=asked)).json()
            assert "data" not in body or body["data"] is None
            (error,) = body["errors"]
            assert error["extensions"]["code"] == "BAD_USER_INPUT"
            assert "total" in error["message"]


async def test_unknown_malformed_and_foreign_ids_get_the_same_bytes(portal: Portal) -> None:
    """Nobody learns what somebody else has: wherever an id is taken, the whole answer is one and the same."""
    ours, theirs = await lived(portal), await lived(portal, "hooli")
    (invoice,) = await theirs.invoices()
    (waiting,) = (await theirs.page())["subscription"]["scheduledChanges"]
    foreign = [theirs.subscription, invoice.id, waiting["id"]]
    wrong = [*foreign, *map(_unknown, foreign), "", "inv_", "1; DROP TABLE", "inv_é", "x" * 5000]

    async with nothing_changes(portal.store):
        for query in BY_ID.values():
            answers = {(await portal.post(ours.token, query, id=id)).content for id in wrong}
            assert len(answers) == 1, answers
        for answers in [
            {await _sent(ours, name, id) for id in wrong} for name in ("preview", "change", "cancel")
        ]:
            assert len(answers) == 1, answers
            assert b'"NotFound"' in answers.pop()


async def test_a_token_with_one_bit_flipped_is_none(portal: Portal) -> None:
    """Each bit of a token is guarded: no flipped one reads as a token, nor do longer, shorter or padded ones.
    Some are sent, and are refused as what they are.
    """
    diary = await lived(portal)
    token = (await diary.previews(editor=12))["token"]
    customer, subscription = diary.customer, decode_as(Kind.SUBSCRIPTION, diary.subscription)
    assert subscription is not None
    signer = QuoteSigner(SETTINGS.secret.encode())

    def reads(text: str) -> bool:
        return signer.read(text, customer=customer, subscription=subscription) is not None

    flipped = [
        token[:i] + chr(ord(token[i]) ^ 1 << bit) + token[i + 1 :]
        for i in range(len(token))
        for bit in range(7)
    ]
    others = ["", token[:-1], f"{token}A", f"{token}=", f" {token}", token + token, token.swapcase()]
    assert reads(token)
    assert [text for text in (*flipped, *others) if reads(text)] == []

    async with nothing_changes(portal.store):
        for text in (*flipped[:: len(flipped) // 20], *others):
            if text.isprintable():
                refused = await diary.confirms(text, editor=12)
                assert refused["__typename"] == "InvalidInput"
                assert refused["message"] == ALTERED


async def test_a_token_of_somebody_else_is_none(portal: Portal) -> None:
    """A token of another customer is refused like one that was made up, and so is one of an older secret."""
    ours, theirs = await lived(portal), await lived(portal, "hooli")
    foreign = (await theirs.previews(editor=12))["token"]

    async with nothing_changes(portal.store):
        refused = await ours.confirms(foreign, editor=12)
        made_up = await ours.confirms("made up", editor=12)

    assert refused["__typename"] == "InvalidInput"
    assert refused == made_up


CHANGED: Final[tuple[dict[str, Any], ...]] = (
    {"subscriptionId": "sub_00000000000000000000000000"},
    {"planCode": "team"},
    {"interval": "MONTH"},
    {"seats": []},
    {"seats": [{"metric": "viewer", "quantity": {"total": 12}}]},
    {"seats": [{"metric": "editor", "quantity": {"total": 13}}]},
    {"seats": [{"metric": "editor", "quantity": {"add": 2}}]},
    {"prorationMode": "DIFFERENCE_IMMEDIATELY"},
    {"prorationMode": None},
    {"timing": "AT_RENEWAL"},
    {"timing": None},
    {"quoteToken": None},
    {"quoteToken": "another"},
    {"expectedVersion": 1},
    {"expectedVersion": None},
)


async def test_a_key_is_good_for_one_input(portal: Portal) -> None:
    """A change is made under a key. The same input again is the same answer; with any one field changed, left
    out or added, the key is refused and nothing is done, whatever else would be wrong.
    """
    diary = await lived(portal)
    quote = await diary.previews(editor=12, mode="PRORATED_IMMEDIATELY", timing="NOW")
    sent = {
        "subscriptionId": diary.subscription,
        "seats": [{"metric": "editor", "quantity": {"total": 12}}],
        "prorationMode": "PRORATED_IMMEDIATELY",
        "timing": "NOW",
        "quoteToken": quote["token"],
        "expectedVersion": (await diary.page())["subscription"]["version"],
        "idempotencyKey": "one press",
    }
    done = await portal.ask(diary.token, page.CHANGE, input=sent)
    assert done["changePlan"]["__typename"] == "PlanChanged"

    async with nothing_changes(portal.store):
        again = await portal.ask(diary.token, page.CHANGE, input=sent)
        assert again["changePlan"] == {**done["changePlan"], "replayed": True}
        for change in CHANGED:
            answer = (await portal.ask(diary.token, page.CHANGE, input={**sent, **change}))["changePlan"]
            assert answer == {
                "__typename": "IdempotencyKeyReused",
                "message": "This idempotency key was used for a different request. "
                "Use a new key for a new request.",
            }, change


@pytest.mark.parametrize("query", TIMED)
async def test_a_timestamp_has_an_offset(portal: Portal, query: str) -> None:
    """Without one nobody knows which instant is meant: wherever an instant is taken, the answer says so."""
    diary = await lived(portal)

    async with nothing_changes(portal.store):
        for text in NO_OFFSET:
            body = (await portal.post(diary.token, query, at=text)).json()
            (error,) = body["errors"]
            assert error["extensions"]["code"] == "BAD_USER_INPUT"
            assert "data" not in body or body["data"] is None
        (error,) = (await portal.post(diary.token, query, at=NO_OFFSET[0])).json()["errors"]
    assert "has no offset. Add Z for UTC, or an offset like +02:00." in error["message"]


def _unknown(id: str) -> str:
    """An id of the same kind that nothing has."""
    kind, uuid = decode(id) or (Kind.INVOICE, None)
    assert uuid is not None
    return encode(kind, type(uuid)(int=uuid.int ^ 1))


async def _sent(diary: Diary, name: str, id: str) -> bytes:
    """The bytes of the answer to a mutation with an id in it."""
    key = {} if name == "preview" else {"idempotencyKey": "one"}
    if name == "cancel":
        return (
            await diary.portal.post(diary.token, page.CANCEL, input={"scheduledChangeId": id, **key})
        ).content
    query = page.PREVIEW if name == "preview" else page.CHANGE
    seats = [{"metric": "editor", "quantity": {"total": 12}}]
    sent = {"subscriptionId": id, "seats": seats, **key}
    return (await diary.portal.post(diary.token, query, input=sent)).content
