"""The explorer at `/graphiql`: our own page around GraphiQL, built at set-up and served from here alone, so
that it works without internet and under a content security policy with strict scripts. It is a set of routes
that the top mounts, or does not: nothing here decides whether a deployment has an explorer.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from html import escape
from pathlib import Path
from string import Template
from typing import Any, Final

from litestar import MediaType, Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response import Redirect

from app.assets import DIST, PAGE

ASSETS_PATH: Final = "/graphiql/assets/"
ENTRY: Final = "explorer/main.jsx"
MEDIA_TYPES: Final[Mapping[str, str]] = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".ttf": "font/ttf",
    ".md": "text/plain; charset=utf-8",
}

# Monaco writes style elements, hence 'unsafe-inline' for styles; scripts and workers come from this server.
PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self' 'unsafe-inline'; "
    "font-src 'self' data:; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PAGE_HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": PAGE_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
# The names of the built files carry a hash of their content. A worker takes its policy from its own response.
ASSET_HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "public, max-age=31536000, immutable",
    "Vary": "Accept-Encoding",
}

NOT_BUILT: Final = "The explorer is not built. Run `make install`, then start the server again.\n"


@dataclass(frozen=True, slots=True)
class Tab:
    """A stored operation that opens as a tab: what it shows, its text, its variables as JSON text."""

    title: str
    query: str
    variables: str = "{}"

    def __post_init__(self) -> None:
        _require_object(self.variables, f"the tab {self.title!r}")


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """A demo customer in one role, with the bearer token that signs it in, and by tab title the variables
    (JSON text) that are valid for it where they differ from the tab's own.
    """

    customer: str
    role: str
    token: str
    variables: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for title, variables in self.variables.items():
            _require_object(variables, f"the tab {title!r} of {self.customer}, {self.role}")


@dataclass(frozen=True, slots=True)
class ExplorerConfig:
    """What the page starts with. The first account is chosen at first; without accounts it is no demo:
    no token is in the page, and the browser keeps the tabs.
    """

    tabs: tuple[Tab, ...]
    accounts: tuple[DemoAccount, ...] = ()
    endpoint: str = "/graphql"

    def __post_init__(self) -> None:
        # The page knows a tab by its title, which heads the operation as a comment.
        titles = [tab.title for tab in self.tabs]
        if len(set(titles)) < len(titles) or any(len(title.splitlines()) != 1 for title in titles):
            raise ValueError(f"Titles of tabs must be single lines and differ from each other: {titles}")


ConfigReader = Callable[[], Awaitable[ExplorerConfig]]


def explorer_routes(config: ExplorerConfig | ConfigReader, *, dist: Path = DIST) -> list[HTTPRouteHandler]:
    """The page and its files as Litestar handlers; the bare address leads to the page.

    A reader is asked at each load of the page, so that tokens and variables are valid on that day. All files
    are read here, once; if the bundle was never built, `/graphiql` answers 503 and says `make install`.
    """
    bundle = read_bundle(dist)

    @get("/", include_in_schema=False)
    async def front_door() -> Redirect:
        return Redirect("/graphiql", status_code=303)

    @get("/graphiql", include_in_schema=False)
    async def explorer_page() -> Response[str]:
        if bundle is None:
            return Response(NOT_BUILT, status_code=503, media_type=MediaType.TEXT, headers=PAGE_HEADERS)
        current = config if isinstance(config, ExplorerConfig) else await config()
        return Response(bundle.page(current), media_type=MediaType.HTML, headers=PAGE_HEADERS)

    @get(f"{ASSETS_PATH}{{name:str}}", include_in_schema=False)
    async def explorer_asset(name: FromPath[str], request: Request[Any, Any, Any]) -> Response[bytes]:
        asset = bundle.assets.get(name) if bundle else None
        if asset is None:
            return Response(b"Not found\n", status_code=404, media_type=MediaType.TEXT)
        return asset.response(accepts_gzip="gzip" in request.headers.get("accept-encoding", ""))

    return [front_door, explorer_page, explorer_asset]


@dataclass(frozen=True, slots=True)
class Asset:
    """One built file, plain and compressed."""

    content: bytes
    compressed: bytes
    media_type: str

    def response(self, *, accepts_gzip: bool) -> Response[bytes]:
        if accepts_gzip:
            headers = {**ASSET_HEADERS, "Content-Encoding": "gzip"}
            return Response(self.compressed, media_type=self.media_type, headers=headers)
        return Response(self.content, media_type=self.media_type, headers=ASSET_HEADERS)


@dataclass(frozen=True, slots=True)
class Bundle:
    """The built explorer: its files by name, and which of them the page asks for."""

    template: Template
    assets: Mapping[str, Asset]
    script: str
    styles: Sequence[str]

    def page(self, config: ExplorerConfig) -> str:
        """The HTML; the configuration is JSON in an attribute, so that no script is inline."""
        return self.template.substitute(
            styles="".join(f'<link rel="stylesheet" href="{ASSETS_PATH}{name}" />' for name in self.styles),
            script=ASSETS_PATH + self.script,
            config=escape(json.dumps(asdict(config))),
        )


def read_bundle(dist: Path) -> Bundle | None:
    """Every file of a finished build; None when there is none."""
    try:
        entry = json.loads((dist / "manifest.json").read_text("utf-8"))[ENTRY]
    except FileNotFoundError:
        return None
    assets = {
        path.name: Asset(path.read_bytes(), Path(f"{path}.gz").read_bytes(), MEDIA_TYPES[path.suffix])
        for path in sorted(dist.iterdir())
        if path.suffix in MEDIA_TYPES
    }
    return Bundle(Template(PAGE.read_text("utf-8")), assets, entry["file"], entry["css"])


def _require_object(text: str, place: str) -> None:
    try:
        is_object = isinstance(json.loads(text), dict)
    except ValueError:
        is_object = False
    if not is_object:
        raise ValueError(f"The variables of {place} are not a JSON object: {text!r}")
