"""The explorer's routes over HTTP: what they send, and what nobody can make them send."""

import gzip
import html
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from app.api.explorer import PAGE_POLICY, DemoAccount, ExplorerConfig, Tab, explorer_routes
from app.assets import DIST

CONFIG = ExplorerConfig(
    (Tab("Who \"am\" I? </main><script>alert('1')</script> $config", "query WhoAmI { viewer { name } }"),),
    (DemoAccount("Acme & Sons", "Owner", "secret-of-acme"),),
)


@pytest.fixture
def client() -> Iterator[TestClient[Litestar]]:
    """An application that has nothing but the explorer."""
    with TestClient(Litestar(explorer_routes(CONFIG))) as client:
        yield client


def test_the_page_has_its_own_policy_and_is_never_stored(client: TestClient[Litestar]) -> None:
    """Scripts come from this server only, nobody frames the page, and no cache keeps its tokens."""
    page = client.get("/graphiql")
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-security-policy"] == PAGE_POLICY
    assert "script-src 'self';" in PAGE_POLICY
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"


def test_the_bare_address_leads_to_the_page(client: TestClient[Litestar]) -> None:
    """Who types only the server's name arrives at the explorer."""
    answer = client.get("/", follow_redirects=False)

    assert (answer.status_code, answer.headers["location"]) == (303, "/graphiql")


def test_the_page_carries_its_configuration_escaped(client: TestClient[Litestar]) -> None:
    """Markup in a title stays text, and the page reads back exactly what it was given."""
    text = client.get("/graphiql").text
    found = re.findall(r'data-config="([^"]*)"', text)
    config = json.loads(html.unescape(found[0]))
    assert config["tabs"][0]["title"] == CONFIG.tabs[0].title
    assert config["accounts"][0]["token"] == "secret-of-acme"
    assert text.count("<script") == 1, "the one script is the built file"


def test_every_built_file_is_served_plain_and_compressed(client: TestClient[Litestar]) -> None:
    """Both forms are the same bytes, with the right type, and may be cached for ever: names carry a hash."""
    types = {".js": "text/javascript", ".css": "text/css", ".ttf": "font/ttf", ".md": "text/plain"}
    files = [path for path in DIST.iterdir() if path.suffix in types]
    assert len(files) > 15, "the page, the editor, its workers, styles and font"
    for path in files:
        for encoding in ("gzip", "identity"):
            answer = client.get(f"/graphiql/assets/{path.name}", headers={"Accept-Encoding": encoding})
            assert answer.headers.get("content-encoding", "identity") == encoding
            assert answer.content == path.read_bytes(), path.name
            assert answer.headers["content-type"].startswith(types[path.suffix])
            assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
            assert answer.headers["vary"] == "Accept-Encoding"
            assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_page_asks_only_for_files_that_exist(client: TestClient[Litestar]) -> None:
    """Every script and style that the HTML names is served."""
    names = re.findall(r'(?:src|href)="(/[^"]+)"', client.get("/graphiql").text)
    assert len(names) >= 2
    assert [client.get(name).status_code for name in names] == [200] * len(names)


@pytest.mark.parametrize(
    "path",
    [
        "nothing.js",
        "manifest.json",
        "stamp.json",
        "../build.py",
        "..%2fbuild.py",
        "%2e%2e/%2e%2e/settings.py",
        "....//build.py",
        "%2fetc%2fpasswd",
        "main.js%00.css",
        "",
    ],
)
def test_no_other_file_can_be_asked_for(client: TestClient[Litestar], path: str) -> None:
    """Files are looked up in a list made at the start; no path reaches the disk."""
    answer = client.get(f"/graphiql/assets/{path}")
    assert answer.status_code == 404
    assert b"root:" not in answer.content
    assert b"import" not in answer.content


def test_a_reader_is_asked_at_each_load() -> None:
    """A page that is opened tomorrow gets tomorrow's tokens."""
    tokens = iter(["of-today", "of-tomorrow"])

    async def read() -> ExplorerConfig:
        return ExplorerConfig(CONFIG.tabs, (DemoAccount("Acme", "Owner", next(tokens)),))

    with TestClient(Litestar(explorer_routes(read))) as client:
        assert "of-today" in client.get("/graphiql").text
        assert "of-tomorrow" in client.get("/graphiql").text


def test_without_a_build_the_page_says_what_to_do(tmp_path: Path) -> None:
    """A missing bundle stops the explorer only, with the command that makes it."""
    with TestClient(Litestar(explorer_routes(CONFIG, dist=tmp_path))) as client:
        page = client.get("/graphiql")
        assert page.status_code == 503
        assert "make install" in page.text
        assert "secret-of-acme" not in page.text
        assert client.get("/graphiql/assets/main.js").status_code == 404


@pytest.mark.parametrize("variables", ["", "[]", "{", "7"])
def test_variables_must_be_a_json_object(variables: str) -> None:
    """A tab that could never run is refused where it is made, and named."""
    with pytest.raises(ValueError, match="'My seats'"):
        Tab("My seats", "query MySeats { viewer { name } }", variables)
    with pytest.raises(ValueError, match=r"'My seats' of Acme, Owner"):
        DemoAccount("Acme", "Owner", "token", {"My seats": variables})


def test_compressed_files_are_reproducible() -> None:
    """The same build gives the same bytes: no time stands in the compressed files."""
    compressed = sorted(DIST.glob("*.gz"))
    assert compressed
    for path in compressed:
        assert path.read_bytes()[4:8] == bytes(4)
        assert gzip.decompress(path.read_bytes()) == path.with_suffix("").read_bytes()


@pytest.mark.parametrize("title", ["Who am I", "two\nlines", ""])
def test_titles_of_tabs_differ_and_are_single_lines(title: str) -> None:
    """The page knows its tabs by their titles; one that is not clear is refused, with the list."""
    tabs = (
        Tab("Who am I", "query WhoAmI { viewer { name } }"),
        Tab(title, "query Other { viewer { name } }"),
    )
    with pytest.raises(ValueError, match="single lines and differ"):
        ExplorerConfig(tabs)
