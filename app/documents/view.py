"""A document as its page shows it: strings, and nothing left to compute.

A view is made once, at finalisation, and stored as JSON. The page of a document is made from its view alone,
today and in ten years: no price, rate, name or wording is looked up again. Hence the view names its template
with version, carries every label, and its JSON carries the version of its own shape.

An empty string means: this is not on the page.
"""

import json
import types
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Final, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from app.documents.errors import ViewInvalid

SCHEMA: Final = 1
"""The shape written by `to_json`. A new shape gets the next number, and `from_json` learns to read both."""

INVOICE_TEMPLATE: Final = "invoice/v1"
CREDIT_NOTE_TEMPLATE: Final = "credit_note/v1"

T = TypeVar("T")

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class RowView:
    """A label and what stands beside it."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class PartyView:
    """The seller or the buyer. `language` is a tag like `ja`; it chooses between Chinese, Japanese and Korean
    forms of the same character.
    """

    heading: str
    name: str
    address: tuple[str, ...]
    country: str
    details: tuple[RowView, ...]
    email: str
    language: str


@dataclass(frozen=True, slots=True)
class LineView:
    """A line with everything that explains it. Amounts below zero have a true minus (U+2212)."""

    description: str
    period: str
    formula: str
    quantity: str
    unit_amount: str
    tax: str
    amount: str
    is_credit: bool


@dataclass(frozen=True, slots=True)
class GroupView:
    """Lines under one heading; the heading may be empty."""

    heading: str
    lines: tuple[LineView, ...]


@dataclass(frozen=True, slots=True)
class TaxView:
    """The tax of one rate: `VAT 19%`, `on €37.50`, `€7.13`."""

    label: str
    base: str
    amount: str


@dataclass(frozen=True, slots=True)
class LabelsView:
    """The words of the page that belong to no single field."""

    description: str
    quantity: str
    unit_amount: str
    tax: str
    amount: str
    payment: str
    page_before: str
    page_between: str


@dataclass(frozen=True, slots=True)
class DocumentView:
    """Everything a page shows, from top to bottom.

    `locale` is the language of the words; `issued_on` is an ISO date for the file's own metadata. `result` is
    the heavy row of the totals, with what leads to it before and what became of it after.
    """

    template: str
    locale: str
    title: str
    kind: str
    number: str
    issued_on: str
    headline: str
    subline: str
    facts: tuple[RowView, ...]
    seller: PartyView
    buyer: PartyView
    labels: LabelsView
    groups: tuple[GroupView, ...]
    shows_tax: bool
    subtotal: RowView
    taxes: tuple[TaxView, ...]
    before_result: tuple[RowView, ...]
    result: RowView
    after_result: tuple[RowView, ...]
    payment: tuple[RowView, ...]
    notes: tuple[str, ...]
    footer: str

    @property
    def line_count(self) -> int:
        return sum(len(group.lines) for group in self.groups)


def to_json(view: DocumentView) -> str:
    """The view as one line of JSON with its schema number; `from_json` gives back an equal view."""
    return f'{{"schema":{SCHEMA},{_encode(view)[1:].decode()}'


def from_json(text: str) -> DocumentView:
    """The view that `to_json` wrote.

    Raises ViewInvalid, naming the place, when a field is missing, unknown or of another type, or when the
    schema is one that this version does not know.
    """
    try:
        content = json.loads(text)
    except ValueError as error:
        raise ViewInvalid(f"This document view is not JSON: {error}.") from None
    if not isinstance(content, dict):
        raise ViewInvalid("This document view is not a JSON object.")
    schema = content.pop("schema", None)
    if schema != SCHEMA:
        raise ViewInvalid(f"This document view has schema {schema!r}; this version reads {SCHEMA}.")
    return _read(DocumentView, content, "view")


def _read(expected: type[T], content: object, place: str) -> T:
    """A dataclass read from a JSON object with exactly its fields."""
    assert is_dataclass(expected)
    if not isinstance(content, dict):
        raise ViewInvalid(f"{place} is not an object.")
    names = {field.name for field in fields(expected)}
    if wrong := names.symmetric_difference(content):
        problem = "is missing" if min(wrong) in names else "is unknown"
        raise ViewInvalid(f"{place}.{min(wrong)} {problem}.")
    hints = get_type_hints(expected)
    values = {name: _value(hints[name], content[name], f"{place}.{name}") for name in names}
    return expected(**values)


def _value(expected: Any, content: object, place: str) -> Any:
    if is_dataclass(expected):
        assert not isinstance(expected, types.GenericAlias)
        return _read(expected, content, place)  # type: ignore[arg-type]
    if get_origin(expected) is tuple:
        if not isinstance(content, list):
            raise ViewInvalid(f"{place} is not a list.")
        item = get_args(expected)[0]
        return tuple(_value(item, entry, f"{place}[{n}]") for n, entry in enumerate(content))
    if type(content) is not expected:
        raise ViewInvalid(f"{place} is not of type {expected.__name__}.")
    return content
