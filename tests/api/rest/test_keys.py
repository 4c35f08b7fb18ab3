"""Keys: who calls, what for; and that nothing of a key is kept that could be used."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from app.billing.refusals import InvalidInput, NotFound
from app.services.api_keys import (
    ALL,
    IssuedKey,
    Scope,
    allows,
    is_token,
    issue_key,
    new_token,
    revoke_key,
)
from app.services.tokens import hash_of
from app.store.ids import new_id
from app.store.transaction import DeploymentTx
from tests.api.rest.caller import Caller
from tests.api.world import NOON

ACME = "/v1/customers/acme"


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Basic YTpi",
        "Bearer spk_short",
        "Bearer {unknown}",
        f"Bearer spp_{'a' * 43}",
        "Bearer {unknown} x",
        "Bearer spk_" + "é" * 49,
    ],
)
async def test_without_a_good_key_there_is_one_answer(caller: Caller, header: str | None) -> None:
    """401, the same bytes for every request without a key, with no key, or with one that nobody has."""
    text = header and header.replace("{unknown}", new_token())
    sent = {} if text is None else {b"Authorization": text.encode()}

    answer = await caller.http.get(ACME, headers=sent)
    caller.note("GET", ACME, answer)
    bare = await caller.http.get("/v1/customers/nobody")

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.content == bare.content


async def test_two_keys_are_no_key(caller: Caller) -> None:
    """A request that names two is refused, even if both are good."""
    both = [("Authorization", f"Bearer {caller.key}")] * 2

    assert (await caller.http.get(ACME, headers=both)).status_code == 401


async def test_a_revoked_key_opens_nothing(caller: Caller) -> None:
    """Not one request more; and it stays listed."""
    issued = await caller.world.store.deployment(issue_key, "short", [ALL])
    assert isinstance(issued, IssuedKey)
    assert (await caller.call("GET", ACME, key=issued.token)).status_code == 200

    assert await caller.world.store.deployment(revoke_key, issued.key.id) is None

    assert (await caller.call("GET", ACME, key=issued.token)).status_code == 401
    unknown = await caller.world.store.deployment(revoke_key, new_id(NOON))
    assert isinstance(unknown, NotFound)


async def test_each_operation_needs_its_scope(caller: Caller) -> None:
    """Every operation of the document refuses a key that has all scopes but the one its description names,
    before it reads anything.
    """
    operations = [
        (method.upper(), path, operation)
        for path, methods in caller.document["paths"].items()
        for method, operation in methods.items()
    ]
    for method, path, operation in operations:
        (needed,) = re.findall(r"Needs\s+`([a-z]+:[a-z]+)`", operation["description"])
        resource = needed.partition(":")[0]
        others = [scope.value for scope in Scope if scope.value.partition(":")[0] != resource]
        if needed.endswith(":write"):
            others += [scope.value for scope in Scope if scope.value == f"{resource}:read"]
        url = re.sub(r"\{[a-z_]+\}", "any", path)
        answer = await caller.call(method, url, b"", key=await caller.new_key(*others))
        assert answer.status_code == 403, (method, path, answer.text)
        assert answer.json()["type"] == "/problems/missing-scope"
        assert needed in answer.json()["detail"]
        answer = await caller.call(method, url, b"", key=await caller.new_key(needed))
        assert answer.status_code != 403, (method, path, answer.text)
    assert operations


def test_to_write_is_to_read() -> None:
    """A key that may write may read the same, and nothing else."""
    assert allows(["customers:write"], Scope.CUSTOMERS_READ)
    assert not allows(["customers:write"], Scope.SEATS_READ)
    assert not allows(["customers:read"], Scope.CUSTOMERS_WRITE)
    assert all(allows([ALL], scope) for scope in Scope)
    assert not any(allows([], scope) for scope in Scope)


def test_tokens_are_known_by_their_form() -> None:
    """Prefix, 49 letters and digits, and a checksum that one wrong character breaks."""
    token = new_token()

    assert re.fullmatch(r"spk_[0-9A-Za-z]{49}", token)
    for place in range(4, len(token)):
        other = "0" if token[place] != "0" else "1"
        assert not is_token(token[:place] + other + token[place + 1 :])
    assert is_token(token)
    assert not is_token(token[:-1])
    assert not is_token(f"{token}\n")


async def test_no_token_is_kept(caller: Caller) -> None:
    """The table has the hash of a key and what it is for, and not the key."""

    def rows(tx: DeploymentTx) -> str:
        return str(tx.connection.execute(text("SELECT * FROM api_key")).all())

    kept = await caller.world.store.look(rows)

    assert caller.key not in kept
    assert caller.key[4:-6] not in kept
    assert hash_of(caller.key) in kept


async def test_a_key_is_for_something_known(caller: Caller) -> None:
    """Without scopes, with one that does not exist, or with no name, no key is made; all is told at once."""
    store = caller.world.store
    refused = await store.deployment(issue_key, "", ["seats:write", "moon:read"])

    assert isinstance(refused, InvalidInput)
    assert [problem.path for problem in refused.problems] == ["scope", "name"]
    assert "seats:read" in refused.message
    assert isinstance(await store.deployment(issue_key, "x", []), InvalidInput)


async def test_whoever_calls_is_noted(caller: Caller) -> None:
    """The audit rows name the key."""
    body = {"name": "Initech", "currency": "USD", "timeZone": "America/Chicago"}
    await caller.put("/v1/customers/initech", body, 201)

    def actors(tx: DeploymentTx) -> set[str]:
        found = tx.connection.execute(text("SELECT actor FROM audit WHERE action = 'customer.registered'"))
        return set(found.scalars())

    assert "tests" in await caller.world.store.look(actors)


async def test_a_body_that_dawdles_is_cut_off(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body has its time to arrive; then the answer is 408."""
    monkeypatch.setattr("app.api.rest.keys.BODY_SECONDS_MAX", 0.05)

    async def slowly() -> AsyncIterator[bytes]:
        yield b'{"name": '
        await asyncio.sleep(0.3)
        yield b'"x"}'

    headers = {"Authorization": f"Bearer {caller.key}", "Content-Type": "application/json"}
    answer = await caller.http.put(ACME, content=slowly(), headers=headers)

    assert answer.status_code == 408
    assert answer.json()["type"] == "/problems/timed-out"
