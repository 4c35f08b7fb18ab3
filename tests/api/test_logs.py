"""What the log keeps to itself: nobody's name, address or token; and that every answer has an id, by which
its lines in the log are found, and the headers of a careful server.
"""

import ast
import asyncio
import gc
import json
import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

import httpx
import pytest
import structlog
from litestar import Litestar
from sqlalchemy.exc import IntegrityError

from app import logs
from app.api import reading
from app.api.explorer import ExplorerConfig
from app.assembly import parts_of
from app.billing.parties import BillingDetails
from app.billing.permissions import SYSTEM, Role
from app.documents.renderer import Renderer
from app.main import create_app
from app.services.register_customer import change_billing_details
from tests.api.schema.asking import OPERATIONS
from tests.api.world import World
from tests.architecture.source import modules
from tests.conftest import Clock
from tests.portal import SETTINGS, serving

# Where one field fails at once, graphql-core drops those beside it that had begun.
pytestmark = pytest.mark.filterwarnings(
    "ignore:coroutine .* was never awaited:RuntimeWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
PERSON = "Canaria Goldfinch"
MAIL = "canaria@birds.example"
CANARIES = (PERSON, "Canaria", MAIL, "DE811907980", "Nest Lane 7", "spp_")
HEADERS = {
    "cache-control",
    "content-security-policy",
    "cross-origin-resource-policy",
    "referrer-policy",
    "strict-transport-security",
    "x-content-type-options",
    "x-frame-options",
    "x-request-id",
}


@pytest.fixture
def as_in_production(capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Logs go to standard error as lines of JSON, as in production."""
    root = logging.getLogger()
    before, level = root.handlers, root.level
    logs.configure(as_json=True)
    yield
    structlog.reset_defaults()
    root.handlers = before
    root.setLevel(level)


def told(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The lines of the log."""
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_every_field_of_a_line_is_on_the_list() -> None:
    """What is not is left out, so nobody would see it: each call in the program uses fields of the list."""
    calls = [
        (module.path, keyword.arg)
        for module in modules("app")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith(("log.", "logger."))
        for keyword in node.keywords
        if keyword.arg not in {None, "exc_info"}
    ]

    strays = {(path, name) for path, name in calls if name not in logs.FIELDS}
    assert strays == {("app/documents/renderer.py", "characters")}  # Letters of somebody's name.
    assert len(calls) > 20


def test_a_field_that_is_not_on_the_list_is_left_out(
    as_in_production: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever it holds; and what looks like a token or an address is left out of the others."""
    log = structlog.get_logger()
    log.warning("it happened", email=MAIL, name=PERSON, reason=f"no seat for {MAIL} with spp_abc", id="7")

    (line,) = told(capsys)
    assert set(line) == {"event", "level", "timestamp", "reason", "id"}
    assert line["reason"] == "no seat for … with …"


@pytest.mark.parametrize(
    "error",
    [
        KeyError(MAIL),
        ValueError(f"cannot read {PERSON!r}"),
        RuntimeError(f"token spp_secret of {PERSON}"),
        IntegrityError("INSERT INTO member (email) VALUES (?)", (MAIL,), Exception(f"({MAIL})=(taken)")),
        ExceptionGroup(PERSON, [KeyError(PERSON), RuntimeError(MAIL)]),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_trace_tells_where_and_not_of_whom(
    error: Exception, as_in_production: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """The type and the place of an exception and of its cause; no value that its message has."""
    try:
        try:
            raise RuntimeError(MAIL)  # noqa: TRY301
        except RuntimeError as cause:
            raise error from cause
    except Exception:  # noqa: BLE001
        structlog.get_logger().exception("it failed")

    (line,) = told(capsys)
    assert type(error).__name__ in line["exception"]
    assert line["exception"].count("in test_a_trace_tells_where_and_not_of_whom") == 2
    assert [canary for canary in CANARIES if canary in str(line)] == []


def test_libraries_are_told_without_their_values(
    as_in_production: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """What they say, not of whom; below a warning nothing."""
    logging.getLogger("some.library").warning("cannot send to %s", MAIL)
    logging.getLogger("some.library").info("sent to %s", MAIL)

    (line,) = told(capsys)
    assert (line["event"], line["logger"]) == ("cannot send to %s", "some.library")


async def test_a_person_is_nowhere_in_the_log(
    world: World,
    clock: Clock,
    as_in_production: None,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every stored operation is asked by and about a person, goes well, and then fails deep inside with the
    person's data in the exception: neither log nor answer has any of it, and both have one reference.
    """
    details = BillingDetails(PERSON, ("Nest Lane 7",), "1", "Birdtown", None, "DE", "DE811907980", MAIL)
    await world.store.run(world.acme, change_billing_details, SYSTEM, details)
    async with serving(world.store, clock) as portal:
        token = await portal.let_in(world.acme, Role.OWNER, PERSON.lower())
        documents = [file.read_text("utf-8") for file in sorted(OPERATIONS.glob("*.graphql"))]
        for text in documents:
            await portal.post(token, text, **given(world, text))

        async def fails(*_: Any, **__: Any) -> Any:
            raise RuntimeError(f"{PERSON} {MAIL} {token}")

        monkeypatch.setattr(reading.Reading, "read", fails)
        answers = [await portal.post(token, text, **given(world, text)) for text in documents]
        monkeypatch.undo()
    gc.collect()  # So that what was dropped is heard of here, and in no later test.
    lines = told(capsys)
    assert [word for word in (*CANARIES, token) if word in str(lines)] == []
    masked = [answer for answer in answers if "INTERNAL" in answer.text]
    assert len(masked) > 10
    logged = {line["reference"] for line in lines if "reference" in line}
    for answer in masked:
        (reference,) = set(re.findall(r'"reference":"(\w+)"', answer.text))
        assert reference in logged
        assert [
            word for word in (*CANARIES, token, "RuntimeError", "reading.py") if word in answer.text
        ] == []
    faults = [line for line in lines if "exception" in line]
    assert all(line["route"] == "/graphql" and line["request"] for line in faults)


def given(world: World, text: str) -> dict[str, Any]:
    """Variables for a stored operation."""
    holder = {"reference": "canaria", "name": PERSON, "email": MAIL}
    input: dict[str, Any] = {"subscriptionId": world.subscription_id, "idempotencyKey": PERSON}
    if "assignSeat" in text:
        input = {"metric": "editor", "holder": holder, "idempotencyKey": MAIL}
    elif "releaseSeat" in text:
        input = {"metric": "editor", "reference": MAIL, "idempotencyKey": MAIL}
    elif "cancelScheduledChange" in text:
        input = {"scheduledChangeId": "chg_x", "idempotencyKey": MAIL}
    elif "query" in text or "preview" in text:
        del input["idempotencyKey"]
    more = {"metric": "editor", "from": "2026-04-01", "until": "2026-04-02", "id": "inv_x"}
    return {"input": input} if "$input" in text else {key: more[key] for key in more if f"${key}" in text}


def whole_app(world: World, clock: Clock) -> Litestar:
    """Everything that is ever served."""
    settings = replace(SETTINGS, explorer=True)
    parts = parts_of(settings, world.store, Renderer(), clock=clock)
    return create_app(settings, replace(parts, explorer=ExplorerConfig(tabs=())))


def addresses(app: Litestar) -> Iterator[tuple[str, str]]:
    """Every method of every route, with something in place of what varies."""
    for route in app.routes:
        path = re.sub(r"\{[^}]+\}", "x", route.path_format if hasattr(route, "path_format") else route.path)
        for method in sorted(getattr(route, "methods", {"GET"})):
            yield method, path


async def test_every_answer_has_the_headers(world: World, clock: Clock) -> None:
    """Whatever the route, the method and the outcome, also where there is no route, no such method, too much,
    or a fault; and each has an id that we made.
    """
    app = whole_app(world, clock)
    transport = httpx.ASGITransport(app=cast("Any", app), raise_app_exceptions=False)
    asked = [*addresses(app), ("GET", "/nowhere"), ("TRACE", "/graphql"), ("DELETE", "/metrics")]
    async with httpx.AsyncClient(transport=transport, base_url="https://billing.example") as http:
        seen, ids = set(), set()
        for method, path in asked:
            for content in (b"", b" " * 1_200_000):
                if content and method in {"GET", "HEAD", "OPTIONS"}:
                    continue
                sent = {"X-Request-Id": "mine", "Content-Type": "application/json"}
                answer = await http.request(method, path, content=content, headers=sent)
                assert set(answer.headers) >= HEADERS, (method, path, answer.headers)
                assert "default-src 'none'" in answer.headers["content-security-policy"], path
                assert "unsafe-eval" not in answer.headers["content-security-policy"]
                seen.add(answer.status_code)
                ids.add(answer.headers["x-request-id"])
    async with serving(world.store, clock) as portal:
        token = await portal.let_in(world.acme)
        answer = await portal.post(token, " " * 1_200_000)
        assert (answer.status_code, set(answer.headers) >= HEADERS) == (413, True)
    assert len(asked) > 35
    assert {200, 204, 401, 403, 404, 405} <= seen, seen
    assert "mine" not in ids
    assert all(re.fullmatch("[0-9a-f]{12}", each) for each in ids)


async def test_requests_side_by_side_have_ids_of_their_own(world: World, clock: Clock) -> None:
    """Each answer's id is that of its own lines in the log."""
    transport = httpx.ASGITransport(app=cast("Any", whole_app(world, clock)))
    async with httpx.AsyncClient(transport=transport, base_url="https://billing.example") as http:
        answers = await asyncio.gather(*(http.get("/healthz") for _ in range(20)))

    assert len({answer.headers["x-request-id"] for answer in answers}) == 20
