"""Every place where somebody may put the id of something: found by going through the schema, the routes and
the bodies, so that a new one is noticed. For each there is a request that would use it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from graphql import GraphQLInputObjectType, GraphQLObjectType, get_named_type

from app.api.ids import Kind
from app.api.schema import schema
from tests.api.schema.asking import operation

TELLING: Final = re.compile(r"(^id$|^ids$|Id$|Ids$|^after$|^before$|[kK]ey$|[tT]oken$|^reference$|^search$)")
"""Names of arguments and input fields that tell of one thing, besides those of the type ID."""

EDITORS: Final = [{"metric": "editor", "quantity": {"add": 1}}]
Request = tuple[str, dict[str, Any]]


def graphql_places() -> set[str]:
    """`Type.field(argument)` and `Input.field` of all that takes an id, a cursor, a key, a token or the
    vendor's word for a person.
    """
    return set(_arguments()) | set(_inputs())


def _arguments() -> Iterator[str]:
    for kind in schema._schema.type_map.values():
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__"):
            for name, field in kind.fields.items():
                for argument, of in field.args.items():
                    if _tells(argument, of.type):
                        yield f"{kind.name}.{name}({argument})"


def _inputs() -> Iterator[str]:
    for kind in schema._schema.type_map.values():
        if isinstance(kind, GraphQLInputObjectType):
            for name, field in kind.fields.items():
                if _tells(name, field.type):
                    yield f"{kind.name}.{name}"


def _tells(name: str, kind: Any) -> bool:
    return get_named_type(kind).name == "ID" or TELLING.search(name) is not None


NODE: Final = "query node($id: ID!) { node(id: $id) { __typename id ... on Customer { name } } }"
INVOICE: Final = operation("invoice")
CREDIT_NOTE: Final = operation("creditNote")

BY_ID: Final[dict[str, tuple[str, dict[str, Any], str]]] = {
    "Query.node(id)": (NODE, {}, "id"),
    "Query.invoice(id)": (INVOICE, {}, "id"),
    "Query.creditNote(id)": (CREDIT_NOTE, {}, "id"),
    **{
        f"{name}.subscriptionId": (operation(stored), {"input": given}, "subscriptionId")
        for name, stored, given in (
            ("PreviewChangePlanInput", "previewChangePlan", {"seats": EDITORS}),
            ("ChangePlanInput", "changePlan", {"seats": EDITORS, "idempotencyKey": "k"}),
            ("PreviewCancelSubscriptionInput", "previewCancelSubscription", {}),
            ("CancelSubscriptionInput", "cancelSubscription", {"idempotencyKey": "k"}),
            ("PreviewResumeSubscriptionInput", "previewResumeSubscription", {}),
            ("ResumeSubscriptionInput", "resumeSubscription", {"idempotencyKey": "k"}),
        )
    },
    "CancelScheduledChangeInput.scheduledChangeId": (
        operation("cancelScheduledChange"),
        {"input": {"idempotencyKey": "k"}},
        "scheduledChangeId",
    ),
}
"""By the place: a document, its other variables, and where the id goes."""


def with_id(place: str, id: str) -> Request:
    """A request with an id at a place."""
    text, given, name = BY_ID[place]
    if "input" in given:
        return text, {"input": {**given["input"], name: id}}
    return text, {**given, name: id}


PAGE: Final = "pageInfo { endCursor } edges { cursor node { %s } }"
LISTS: Final = {
    "Customer.seatEvents(after)": ("seatEvents(first: 1, after: $it)", PAGE % "id note holder { name }"),
    "Customer.seatHolders(after)": ("seatHolders(first: 1, after: $it)", PAGE % "reference name email"),
    "Customer.seatHolders(search)": ("seatHolders(search: $it)", PAGE % "reference name email"),
    "Customer.invoices(after)": ("invoices(first: 1, after: $it)", PAGE % "id number buyer { name }"),
    "Customer.invoices(search)": ("invoices(search: $it)", PAGE % "id number buyer { name }"),
    "Customer.creditNotes(after)": ("creditNotes(first: 1, after: $it)", PAGE % "id number"),
}
"""By the place: a list of the customer with a cursor or words, and what is shown of it."""

EVENTS_OF_LINES: Final = """query events($it: String) { customer { invoices { edges { node { lines {
  events(first: 1, after: $it) { edges { cursor node { id note } } } } } } } } }"""


def listed(place: str, given: str | None) -> Request:
    """A request for a list from a cursor on, or by words."""
    if place == "InvoiceLine.events(after)":
        return EVENTS_OF_LINES, {"it": given}
    field, shown = LISTS[place]
    return f"query list($it: String) {{ customer {{ {field} {{ {shown} }} }} }}", {"it": given}


LISTED: Final = {*LISTS, "InvoiceLine.events(after)"}
KEYS: Final = {
    "AssignSeatInput.idempotencyKey",
    "CancelScheduledChangeInput.idempotencyKey",
    "CancelSubscriptionInput.idempotencyKey",
    "ChangePlanInput.idempotencyKey",
    "ReleaseSeatInput.idempotencyKey",
    "ResumeSubscriptionInput.idempotencyKey",
}
TOKENS: Final = {
    "CancelSubscriptionInput.quoteToken",
    "ChangePlanInput.quoteToken",
    "ResumeSubscriptionInput.quoteToken",
}
PEOPLE: Final = {"ReleaseSeatInput.reference", "SeatHolderInput.reference"}

KIND_OF_TABLE: Final = {
    "customer": (Kind.CUSTOMER,),
    "subscription": (Kind.SUBSCRIPTION,),
    "seat_event": (Kind.SEAT_EVENT,),
    "billing_line": (Kind.INVOICE_LINE,),
    "document": (Kind.INVOICE, Kind.CREDIT_NOTE),
    "scheduled_change": (Kind.SCHEDULED_CHANGE,),
    "webhook_delivery": (Kind.WEBHOOK_DELIVERY,),
    "outbox": (Kind.WEBHOOK_MESSAGE,),
}
"""By the table: what its ids are told as."""
