"""The OpenAPI document tells the truth: every route is described, every status that it names occurs, and no
other does (which every test here is held to by the caller).
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from httpx import ASGITransport, AsyncClient
from sqlalchemy import update

from app.api.webhook_events import EVENTS
from app.assembly import parts_of
from app.documents.renderer import Renderer
from app.main import create_app
from app.services.register_customer import NewCustomer, register_customer
from app.services.webhooks import ATTEMPTS_MAX, SECRETS_MAX
from app.store import tables, webhooks
from app.store.customers import Customer
from app.store.engine import open_store
from app.store.ids import new_id
from app.store.scope import ACROSS, enter
from app.store.transaction import DeploymentTx, Store
from tests.api.rest.caller import ANYWHERE, Caller, key_of
from tests.api.rest.test_customers import HOOLI
from tests.api.rest.test_invoices import unpaid
from tests.conftest import Clock
from tests.portal import SETTINGS, VENDOR

ACME: Final = "/v1/customers/acme"
NOBODY: Final = "/v1/customers/nobody"
HOOKS: Final = "/v1/webhook-endpoints"
Sample = tuple[str, str, Any, str]
"""How an operation is asked for: method, address, body, and an address that leads to nothing."""


def samples(invoice: str, hook: str, delivery: str) -> dict[str, Sample]:
    """A good request of each operation, in an order in which all of them can be made."""
    hooks, lost = f"{HOOKS}/{hook}", f"{HOOKS}/whe_x"
    again = f"deliveries/{delivery}/replay"
    event = {"customer": "acme", "metric": "editor", "add": 1, "idempotencyKey": "e"}
    member = {"reference": "u", "role": "OWNER"}
    seats = {"customer": "hooli", "plan": "team", "interval": "MONTH", "seats": {"editor": 8}}
    bill, none = f"/v1/invoices/{invoice}", "/v1/invoices/inv_x"
    return {
        "put_customer_": ("PUT", "/v1/customers/hooli", HOOLI, ""),
        "get_customer": ("GET", ACME, None, NOBODY),
        "start": ("POST", "/v1/subscriptions", seats, ""),
        "record": ("POST", "/v1/seat-events", event, ""),
        "get_seat_balances": ("GET", f"{ACME}/seat-balances", None, f"{NOBODY}/seat-balances"),
        "get_entitlement": ("GET", f"{ACME}/entitlements/editor", None, f"{NOBODY}/entitlements/editor"),
        "compare": ("POST", f"{ACME}/drift", {"counts": {"editor": 5}}, f"{NOBODY}/drift"),
        "put_override": ("PUT", f"{ACME}/overrides/editor", {"granted": 1}, f"{NOBODY}/overrides/editor"),
        "list_invoices": ("GET", "/v1/invoices?customer=acme", None, "/v1/invoices?customer=nobody"),
        "pay_invoice": ("POST", f"{bill}/payments", {"amount": "1.00"}, f"{none}/payments"),
        "write_note": ("POST", "/v1/credit-notes", {"invoice": invoice, "reason": "x", "amount": "1.00"}, ""),
        "make_portal_link": ("POST", "/v1/portal-links", {"customer": "acme", "member": member}, ""),
        "sign_out": ("POST", f"{ACME}/members/u/sign-out", None, f"{ACME}/members/x/sign-out"),
        "remove": ("DELETE", f"{ACME}/members/u", None, f"{ACME}/members/x"),
        "void_invoice": ("POST", f"{bill}/void", {"reason": "WAIVE"}, f"{none}/void"),
        "move_clock": ("POST", f"{ACME}/clock", {"advance": "PT1H"}, f"{NOBODY}/clock"),
        "pause": ("POST", f"{ACME}/subscription/pause", None, f"{NOBODY}/subscription/pause"),
        "resume": ("POST", f"{ACME}/subscription/resume", None, f"{NOBODY}/subscription/resume"),
        "cancel": ("POST", f"{ACME}/subscription/cancel", {}, f"{NOBODY}/subscription/cancel"),
        "add_endpoint": ("POST", HOOKS, {"url": "http://127.0.0.1:1/in"}, ""),
        "list_endpoints": ("GET", HOOKS, None, ""),
        "get_endpoint": ("GET", hooks, None, lost),
        "rotate_secret": ("POST", f"{hooks}/rotate", None, f"{lost}/rotate"),
        "try_endpoint": ("POST", f"{hooks}/test", None, f"{lost}/test"),
        "list_deliveries": ("GET", f"{hooks}/deliveries", None, f"{lost}/deliveries"),
        "replay_delivery": ("POST", f"{hooks}/{again}", None, f"{lost}/{again}"),
        "disable_endpoint": ("POST", f"{hooks}/disable", None, f"{lost}/disable"),
        "enable_endpoint": ("POST", f"{hooks}/enable", None, f"{lost}/enable"),
        "remove_endpoint": ("DELETE", hooks, None, lost),
    }


UNKNOWN: Final[dict[str, dict[str, Any]]] = {
    "start": {"customer": "nobody"},
    "record": {"customer": "nobody"},
    "write_note": {"invoice": "inv_x"},
    "make_portal_link": {"customer": "nobody"},
}
OTHER: Final[dict[str, dict[str, Any]]] = {
    "put_override": {"granted": 2},
    "start": {"trialDays": 3},
    "record": {"add": 2},
    "pay_invoice": {"amount": "2.00"},
    "write_note": {"amount": "2.00"},
    "void_invoice": {"reason": "REISSUE"},
    "move_clock": {"advance": "PT2H"},
    "cancel": {"timing": "NOW"},
}
OF_PEOPLE: Final = {"make_portal_link", "sign_out", "remove"}
SENSELESS: Final[dict[str, dict[str, Any]]] = {
    "put_customer_": {"timeZone": "Mars"},
    "compare": {"counts": {}},
    "add_endpoint": {"url": "http://10.0.0.1/"},
}


async def test_every_documented_status_occurs(caller: Caller) -> None:
    """For each operation, and each status that the document names for it, there is a request that gets it."""
    invoice = await second_invoice(caller)
    hook, delivery = await a_delivery(caller)
    for name in samples(invoice, hook, delivery):
        target = invoice if name != "void_invoice" else (await unpaid(caller))["id"]
        method, path, body, nowhere = samples(target, hook, delivery)[name]
        answer = await caller.http.request(method, path)
        caller.note(method, path, answer)
        answer = await caller.call(method, path, body, key=await other_key(caller, name))
        assert answer.status_code == 403, (name, answer.text)
        if body is not None:
            await caller.call(method, path, b"{", Content_Type="application/json")
            await caller.call(method, path, b"{}", Content_Type="text/plain")
        elif method == "GET":
            mark = "&" if "?" in path else "?"
            await caller.call(method, f"{path}{mark}asOf=x&more=x&first=x")
        if nowhere or name in UNKNOWN:
            sent = {**body, **UNKNOWN[name]} if name in UNKNOWN else body
            assert (await caller.call(method, nowhere or path, sent)).status_code == 404, name
        if name in SENSELESS:
            await caller.call(method, path, {**body, **SENSELESS[name]})
        if method != "DELETE":
            await caller.call(method, path, body, Idempotency_Key="\x7f")
        if name == "record":
            await caller.call(method, path, {**body, "metric": "moon", "idempotencyKey": "m"})
        done = await caller.call(method, path, body, Idempotency_Key=name)
        assert done.status_code in {200, 201}, (name, done.text)
        if name == "put_customer_":
            await caller.call(method, path, body)
        if name == "rotate_secret":
            for _ in range(SECRETS_MAX):
                await caller.call(method, path)
        if name == "replay_delivery":
            await caller.world.store.batch(tire)
            await caller.call(method, path)
        if name in {"pause", "resume"}:
            assert (await caller.call(method, path, body)).status_code == 409
        if name in OTHER:
            again = await caller.call(method, path, {**body, **OTHER[name]}, Idempotency_Key=name)
            assert again.status_code == 409, (name, again.text)

    documented = {
        (operation["operationId"], int(status))
        for methods in caller.document["paths"].values()
        for operation in methods.values()
        for status in operation["responses"]
    }
    assert documented - caller.seen == set()
    assert {each for each in caller.seen if each[1] not in ANYWHERE} == documented


async def second_invoice(caller: Caller) -> str:
    """An open invoice beside the one that is to be void: nothing of that may be paid."""
    advance = {"advance": "P1M"}
    await caller.post(f"{ACME}/clock", advance, 200)
    found = await caller.get("/v1/invoices?customer=acme&status=OPEN")
    return str(found["invoices"][-1]["id"])


async def a_delivery(caller: Caller) -> tuple[str, str]:
    """An endpoint, and a delivery to it."""
    made = await caller.post(HOOKS, {"url": "http://127.0.0.1:1/in"})
    advance = {"advance": "P1M"}
    await caller.post(f"{ACME}/clock", advance, 200)
    await caller.world.store.batch(webhooks.hand_out, known=EVENTS, limit=1000)
    hook = str(made["endpoint"]["id"])
    listed = await caller.get(f"{HOOKS}/{hook}/deliveries")
    return hook, str(listed["deliveries"][0]["id"])


def tire(tx: DeploymentTx) -> None:
    """Let every delivery have been tried as often as one may be."""
    tx.connection.execute(update(tables.webhook_delivery).values(attempts=ATTEMPTS_MAX))


async def other_key(caller: Caller, name: str) -> str:
    """A key that is for something else."""
    return await caller.new_key("portal:write" if name not in OF_PEOPLE else "clock:write")


async def test_every_route_is_described(caller: Caller) -> None:
    """With a summary, a paragraph, a tag that is told, a name of its own, and a key that it needs."""
    document = caller.document
    assert document["openapi"].startswith("3.1.")
    assert document["security"] == [{"apiKey": []}]
    tags = {tag["name"] for tag in document["tags"] if tag["description"]}
    names = []
    for path, methods in document["paths"].items():
        assert path.startswith("/v1/")
        for operation in methods.values():
            names.append(operation["operationId"])
            assert operation["summary"]
            assert "Needs" in operation["description"]
            assert set(operation["tags"]) <= tags
            for parameter in operation.get("parameters", []):
                assert parameter["in"] == "path" or parameter["description"], (path, parameter["name"])
            for status, response in operation["responses"].items():
                assert response["description"]
                kind = "application/json" if status < "300" else "application/problem+json"
                assert list(response["content"]) == [kind]
    assert len(set(names)) == len(names) == 29


async def test_the_document_is_served_by_itself(caller: Caller) -> None:
    """As JSON at /schema, as YAML beside it, without a key; no page that fetches scripts from elsewhere."""
    bare = await caller.http.get("/schema")
    yaml = await caller.http.get("/schema/openapi.yaml")

    assert bare.json() == caller.document
    assert bare.headers["content-type"].startswith("application/vnd.oai.openapi+json")
    assert yaml.text.startswith("components:")
    for page in ("redoc", "swagger", "elements", "rapidoc"):
        answer = await caller.http.get(f"/schema/{page}")
        assert answer.status_code == 404
        assert "//" not in answer.text.replace("</", "<")


async def test_each_problem_type_has_a_page(caller: Caller) -> None:
    """The `type` of a problem is an address that says what it means."""
    answer = await caller.call("GET", NOBODY)

    page = await caller.http.get(answer.json()["type"])
    assert (page.status_code, page.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert "Status 404" in page.text
    assert (await caller.http.get("/problems/moon")).status_code == 404


async def test_a_database_without_a_turn_is_busy(
    caller: Caller, clock: Clock, lived_in: tuple[str, object]
) -> None:
    """503 with the time to wait; the same request goes through afterwards. Here another program keeps the
    customer's row, or the whole file, locked.
    """
    url, _ = lived_in
    other = open_store(url, clock=clock)
    impatient = open_store(url, clock=clock, wait_max=timedelta(seconds=0.3))
    renderer = Renderer()
    app: Any = create_app(SETTINGS, parts_of(SETTINGS, impatient, renderer, clock=clock))
    async with AsyncClient(transport=ASGITransport(app=app), base_url=SETTINGS.public_url) as http:
        headers = {"Authorization": f"Bearer {caller.key}"}
        body = {"customer": "acme", "metric": "editor", "add": 1, "idempotencyKey": "busy"}
        async with held(other, caller.world.acme):
            answer = await http.post("/v1/seat-events", json=body, headers=headers)
        assert answer.status_code == 503, answer.text
        assert answer.json()["type"] == "/problems/busy"
        assert answer.headers["retry-after"] == str(answer.json()["retryAfterSeconds"])
        answer = await http.post("/v1/seat-events", json=body, headers=headers)
        assert answer.status_code == 200
    await other.close()
    await impatient.close()


@asynccontextmanager
async def held(store: Store, customer: UUID) -> AsyncIterator[None]:
    """Another program's transaction that has written to a customer and goes on."""
    async with store.writer.connect() as connection:
        await connection.begin()
        await connection.run_sync(enter, ACROSS)
        same = tables.customer.c.customer_id == customer
        await connection.execute(update(tables.customer).where(same).values(name=tables.customer.c.name))
        yield
        await connection.rollback()


async def test_without_a_catalog_there_is_nothing_to_sell(store: Store, clock: Clock) -> None:
    """503 until one is applied, and no fault."""
    customer = new_id(clock())
    made = await store.run(customer, register_customer, VENDOR, NewCustomer("acme", "Acme", "USD", "UTC"))
    assert isinstance(made, Customer)
    app: Any = create_app(SETTINGS, parts_of(SETTINGS, store, Renderer(), clock=clock))
    async with AsyncClient(transport=ASGITransport(app=app), base_url=SETTINGS.public_url) as http:
        headers = {"Authorization": f"Bearer {await key_of(store, 'all')}"}
        answer = await http.get(f"{ACME}/entitlements/editor", headers=headers)

    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/no-catalog")
