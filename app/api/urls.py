"""The origin of an address, as browsers write it: what they compare pages by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

DEFAULT_PORTS: Final[Mapping[str, int]] = {"http": 80, "https": 443}


def origin_of(url: str) -> str:
    """Scheme, host and port of an address, without the port that is usual."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = "" if parts.port in {None, DEFAULT_PORTS.get(parts.scheme)} else f":{parts.port}"
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}"
