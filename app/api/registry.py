"""The trusted documents: the stored operations of `graphql/operations`, each by the SHA-256 of its text.

In production only these run, unless the deployment opens the door. So what a request costs, and what it can
ask for at all, was known and reviewed before anybody sent it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

PREFIX: Final = "sha256:"


def operations_folder() -> Path:
    """Where the stored operations are: in the checkout, or in the installed package."""
    package = Path(__file__).parents[1]
    packaged = package / "_data" / "graphql" / "operations"
    return packaged if packaged.is_dir() else package.parent / "graphql" / "operations"


def document_id(text: str) -> str:
    """`sha256:` and the hash of a document's text in UTF-8, byte by byte as it is stored and sent."""
    return f"{PREFIX}{hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest()}"


@dataclass(frozen=True, slots=True)
class Registry:
    """Documents by their ids; the default knows none."""

    texts: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path | None = None) -> "Registry":
        """Every document in a folder, by default that of the stored operations."""
        return cls({document_id(text): text for text in stored_operations(folder).values()})


def stored_operations(folder: Path | None = None) -> dict[str, str]:
    """The texts of the stored operations by their names, in the order of those."""
    files = sorted((folder or operations_folder()).glob("*.graphql"))
    return {file.stem: file.read_text(encoding="utf-8") for file in files}
