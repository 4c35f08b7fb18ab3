"""What can go wrong with a document, each with a message that says what to do.

DocumentError
├── ViewInvalid        a stored view cannot be read, or names a template that does not exist
├── FactsInvalid       the numbers of a document do not add up; nothing was frozen
├── SetupIncomplete    fonts or system libraries are missing on this machine
├── FontsLost          the font copies of a running render process are gone; a new process has new ones
├── TooManyLines       more lines than a document may have
└── RenderFailed       the render process gave no PDF; `retryable` says whether asking again can help
"""


class DocumentError(Exception):
    """Something about a document; the message is meant for people."""


class ViewInvalid(DocumentError):
    """A stored view cannot be read, or names a template that does not exist."""


class FactsInvalid(DocumentError):
    """The numbers of a document do not add up."""


class SetupIncomplete(DocumentError):
    """Fonts or system libraries are missing on this machine."""


class FontsLost(DocumentError):
    """The font copies of a running render process are gone; it can draw nothing but boxes."""


class TooManyLines(DocumentError):
    """A document has more lines than a document may have."""


class RenderFailed(DocumentError):
    """The render process gave no PDF."""

    def __init__(self, message: str, *, retryable: bool) -> None:
        super().__init__(message)
        self.retryable = retryable
