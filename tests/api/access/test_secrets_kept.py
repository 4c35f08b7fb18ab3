"""What is kept of what was handed out: nothing that lets anybody in. Whoever copies the database, reads the
log, or looks at an address, has no token.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from app.store.transaction import BatchTx
from tests.api.access.door import OWN_FORM, Door, session_of, token_of
from tests.api.world import Lived

HANDED_OUT = re.compile(r"sp[pk]_(?:link_)?[0-9A-Za-z_-]{43,}|whsec_[0-9A-Za-z+/=]{20,}")
QUOTE = """
mutation ($input: PreviewChangePlanInput!) {
  previewChangePlan(input: $input) { ... on ChangeQuote { token alternatives { token } } }
}
"""
CHANGE = "mutation ($input: ChangePlanInput!) { changePlan(input: $input) { __typename } }"
DOCUMENTS = "{ customer { subscription { id } invoices { edges { node { pdf { url } } } } } }"


async def used(door: Door) -> list[str]:
    """Everything that hands out a secret, used as people do; all of the secrets."""
    invited = await door.invite(email="ada@acme.example")
    link = token_of(invited)
    session = session_of(await door.press(link))
    await door.press(link)
    await door.form("/portal/new-link", {"token": link})
    unused = token_of(await door.invite("ben", "VIEWER"))
    left = session_of(await door.press(await door.link("eve")))
    await door.form("/portal/leave", {"x": ""}, OWN_FORM, left)
    seen = (await door.ask(session, query=DOCUMENTS)).json()["data"]["customer"]
    change = {
        "subscriptionId": seen["subscription"]["id"],
        "seats": [{"metric": "editor", "quantity": {"add": 2}}],
    }
    headers = {"Authorization": f"Bearer {invited['token']}"}
    asked = {"query": QUOTE, "variables": {"input": change}}
    quote = (await door.http.post("/graphql", json=asked, headers=headers)).json()["data"][
        "previewChangePlan"
    ]
    confirmed = {**change, "quoteToken": quote["token"], "idempotencyKey": "k"}
    done = await door.http.post(
        "/graphql", json={"query": CHANGE, "variables": {"input": confirmed}}, headers=headers
    )
    assert done.json()["data"]["changePlan"]["__typename"] == "PlanChanged"
    hook = await door.caller.post("/v1/webhook-endpoints", {"url": "http://127.0.0.1:1/in"})
    pdfs = [edge["node"]["pdf"]["url"] for edge in seen["invoices"]["edges"]]
    signatures = [url.rpartition("signature=")[2] for url in pdfs]
    quotes = [quote["token"], *(each["token"] for each in quote["alternatives"])]
    tokens = [link, session, unused, left, invited["token"], door.caller.key, hook["secret"]]
    assert len(signatures) > 0
    return [*tokens, *quotes, *signatures]


def everything(tx: BatchTx) -> Iterator[str]:
    """Every row of every table, as text."""
    of_sqlite = "SELECT name FROM sqlite_master WHERE type = 'table'"
    of_postgres = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
    names = of_sqlite if tx.connection.dialect.name == "sqlite" else of_postgres
    for name in tx.connection.execute(text(names)).scalars().all():
        for row in tx.connection.execute(text(f'SELECT * FROM "{name}"')):
            yield " ".join(str(value) for value in row)


async def test_a_copy_of_the_database_lets_nobody_in(door: Door, lived_in: tuple[str, Lived]) -> None:
    """No row holds a token that was handed out, or anything of the form of one; on SQLite neither do the
    bytes of the file and its log, where old pages lie about.
    """
    secrets = await used(door)

    dump = "\n".join(await door.store.look(lambda tx: list(everything(tx))))
    assert len(dump) > 10_000
    assert [secret for secret in secrets if secret in dump or secret[8:] in dump] == []
    assert HANDED_OUT.findall(dump) == []
    assert all(
        HANDED_OUT.fullmatch(secret) for secret in secrets if secret.startswith(("spp_", "spk_", "whsec_"))
    )
    url, _ = lived_in
    if url.startswith("sqlite"):
        file = Path(url.partition(":///")[2])
        raw = b"".join(each.read_bytes() for each in file.parent.glob(f"{file.name}*"))
        assert len(raw) > 100_000
        assert [secret for secret in secrets if secret.encode() in raw] == []


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
async def test_no_token_is_in_an_address_or_in_the_log(door: Door) -> None:
    """Of no request that was sent, of no answer's Location, in no line of the log."""
    requests: list[Any] = []

    async def note(answer: Any) -> None:
        requests.append((str(answer.request.url), answer.headers.get("location", "")))
        requests.append((answer.request.headers.get("referer", ""), ""))

    door.http.event_hooks["response"].append(note)
    with capture_logs() as logs:
        secrets = await used(door)

    seen = f"{requests} {logs}"
    tokens = [secret for secret in secrets if secret.startswith(("spp_", "spk_"))]
    assert len(requests) > 10
    assert [secret for secret in tokens if secret in seen] == []


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
async def test_the_pages_let_nothing_else_in(door: Door) -> None:
    """Each page and file: no script or style but our own, none in the page itself, in no frame, kept nowhere,
    with no word of where it was.
    """
    link = await door.link()
    pages = [
        *[await door.http.get(path) for path in ("/portal", "/portal/enter", "/portal/new-link")],
        await door.press(link + "x"),
        await door.press(link, {}),
        await door.press(link),
        await door.form("/portal/new-link", {"email": "a@b"}),
    ]
    for page in pages:
        assert page.headers["content-type"] == "text/html; charset=utf-8" or page.status_code == 303
        policy = dict(
            part.strip().partition(" ")[::2] for part in page.headers["content-security-policy"].split(";")
        )
        assert policy == {
            "default-src": "'none'",
            "script-src": "'self'",
            "style-src": "'self'",
            "form-action": "'self' https://billing.example",
            "base-uri": "'none'",
            "frame-ancestors": "'none'",
        }
        assert page.headers["referrer-policy"] == "no-referrer"
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["x-content-type-options"] == "nosniff"
        assert page.headers["cross-origin-opener-policy"] == "same-origin"
        assert "max-age=" in page.headers["strict-transport-security"]
        assert re.findall(r"style=|<style|onclick|<script>|https?://", page.text) == []
    for name, kind in (("portal.css", "text/css"), ("portal.js", "text/javascript")):
        file = await door.http.get(f"/portal/assets/{name}")
        assert (file.status_code, file.headers["content-type"]) == (200, f"{kind}; charset=utf-8")
    assert (await door.http.get("/portal/assets/page.html")).status_code == 404


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
async def test_a_name_is_text_on_a_page(door: Door) -> None:
    """Whatever the vendor's people are called."""
    invited = await door.invite("mallory", "VIEWER", name="<script>alert(1)</script> $title ${x}")
    session = session_of(await door.press(token_of(invited)))

    home = await door.http.get("/portal", headers={"Cookie": f"__Host-spp={session}"})

    assert "&lt;script&gt;alert(1)&lt;/script&gt; $title ${x}" in home.text
