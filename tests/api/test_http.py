"""What every response has in common: headers, JSON errors, health; and that nothing else is served."""

import asyncio
from dataclasses import replace

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from structlog.testing import capture_logs

from app.api.explorer import ExplorerConfig
from app.api.health import health_routes
from app.main import create_app
from tests.api.tiny import CANARY, SETTINGS, Tiny, World, tiny_app, tiny_parts

HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
REQUESTS = [
    ("GET", "/healthz", 200),
    ("GET", "/readyz", 200),
    ("POST", "/graphql", 415),
    ("GET", "/graphql", 405),
    ("OPTIONS", "/graphql", 204),
    ("DELETE", "/healthz", 405),
    ("GET", "/", 404),
    ("GET", "/nowhere", 404),
    ("GET", "/graphiql", 404),
    ("GET", "/schema", 404),
    ("GET", "/documents", 404),
    ("GET", "/documents/a/b", 404),
    ("GET", "/broken", 500),
    ("GET", "/%00", 404),
    ("GET", "/../../etc/passwd", 404),
    ("GET", "/healthz%0d%0aX-Evil:%201", 404),
    ("POST", "/nowhere", 404),
]


@pytest.mark.parametrize(("method", "path", "status"), REQUESTS)
def test_every_response_has_the_security_headers(tiny: Tiny, method: str, path: str, status: int) -> None:
    """Also those to addresses and methods that do not exist and to faults, whose errors are JSON."""
    answer = tiny.client.request(method, path)

    assert answer.status_code == status
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert "strict-transport-security" not in answer.headers
    if status != 204:
        assert "json" in answer.headers["content-type"]
        assert answer.json()


def test_https_servers_say_so() -> None:
    """Where the public address is https, browsers are told to stay with it."""
    with TestClient(tiny_app(World(), public_url="https://billing.example.com")) as client:
        header = client.get("/healthz").headers["strict-transport-security"]

    assert header == "max-age=31536000; includeSubDomains"


def test_no_origin_is_let_in(tiny: Tiny) -> None:
    """CORS is closed: no page of another origin reads an answer or may send JSON."""
    headers = {
        "Origin": "https://evil.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, content-type",
    }

    for answer in (
        tiny.client.options("/graphql", headers=headers),
        tiny.post("{ balance }", headers=headers),
    ):
        assert [name for name in answer.headers if name.startswith("access-control-")] == []


def test_errors_outside_of_graphql_are_problem_details(tiny: Tiny) -> None:
    """RFC 9457: type, title, status and a sentence."""
    answer = tiny.client.get("/nowhere")

    assert answer.headers["content-type"] == "application/problem+json; charset=utf-8"
    assert answer.json() == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "There is nothing at this address.",
        "code": "NOT_FOUND",
    }


def test_a_wrong_method_names_the_right_one(tiny: Tiny) -> None:
    """In the Allow header and in words."""
    answer = tiny.client.put("/healthz")

    assert set(answer.headers["allow"].split(", ")) == {"GET", "OPTIONS"}
    assert answer.json()["detail"].startswith("This address does not answer PUT. Use ")


def test_a_fault_shows_a_reference_only(tiny: Tiny) -> None:
    """The client's reference leads to the trace in the log."""
    with capture_logs() as logs:
        answer = tiny.client.get("/broken")

    reference = logs[0]["reference"]
    assert (
        answer.json()["detail"]
        == f"Something went wrong on our side. Tell support this reference: {reference}."
    )
    assert answer.json()["reference"] == reference
    assert CANARY in str(logs[0]["exc_info"])
    assert CANARY not in answer.text


def test_alive_is_not_ready(tiny: Tiny) -> None:
    """With the database away the process is alive and takes no traffic; the answer says why and when to ask
    again.
    """
    tiny.world.problem = "The database does not answer."

    answer = tiny.client.get("/readyz")

    assert tiny.client.get("/healthz").json() == {"status": "alive"}
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json() == {"status": "not ready", "detail": "The database does not answer."}
    tiny.world.problem = None
    assert tiny.client.get("/readyz").json() == {"status": "ready"}


def test_a_check_that_fails_is_not_ready(tiny: Tiny) -> None:
    """Its exception goes to the log, not to whoever asks."""
    tiny.world.problem = "raise"

    with capture_logs() as logs:
        answer = tiny.client.get("/readyz")

    assert answer.json() == {"status": "not ready", "detail": "The check failed. The log says why."}
    assert [entry["event"] for entry in logs] == ["readiness check failed"]


async def never() -> str | None:
    await asyncio.sleep(60)
    return None


def test_a_check_that_hangs_is_not_ready() -> None:
    """The answer comes when the time is up."""
    with TestClient(Litestar(health_routes(never, seconds_max=0.01), openapi_config=None)) as client:
        answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["detail"] == "The check did not finish within 0.01 seconds."


@pytest.mark.parametrize(("explorer", "status"), [(True, {200, 503}), (False, {404})])
def test_the_explorer_is_served_where_it_is_on(explorer: bool, status: set[int]) -> None:  # noqa: FBT001
    """A setting decides; where it is off, there is nothing at its address."""
    parts = tiny_parts(World())
    app = create_app(replace(SETTINGS, explorer=explorer), replace(parts, explorer=ExplorerConfig(tabs=())))
    with TestClient(app) as client:
        assert client.get("/graphiql").status_code in status
