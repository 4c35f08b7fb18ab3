"""What the page of the stories asks for, and documents as one reads them: each line with its formula."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

_PAPER: Final = """
fragment Paper on BillingDocument {
  id number issuedOn pdf { url }
  totals {
    subtotal { amount } tax { amount } total { amount } creditApplied { amount } amountDue { amount }
    taxes { label category ratePercent base { amount } amount { amount } }
  }
  ... on Invoice { status dueOn amountOpen { amount } lines { ...Row } }
  ... on CreditNote { creditAdded { amount } invoices { number } lines { ...Row } }
}
fragment Row on PricedLine { description formula amount { amount } period { startsOn endsOn } }
"""
_QUOTE: Final = """
fragment Quote on ChangeQuote {
  token validUntil effectiveOn prorationMode timing renewsOn summary
  lines { ...Row waits }
  dueNow { total { amount } amountDue { amount } creditApplied { amount } }
  creditAdded { amount } creditCoversUntil
  atRenewal { total { amount } amountDue { amount } }
  scheduled { effectiveOn summary replaces }
  alternatives {
    prorationMode timing token
    dueNow { total { amount } } creditAdded { amount } creditCoversUntil atRenewal { total { amount } }
  }
}
"""
_REFUSED: Final = """
fragment Refused on Refusal {
  message
  ... on SeatsInUse { inUse requested limit holderCount holders { reference name } }
  ... on BillingDetailsMissing { missing }
  ... on AboveMaximum { maximum requested }
}
"""
PREVIEW: Final = f"""
mutation preview($input: PreviewChangePlanInput!) {{
  previewChangePlan(input: $input) {{ __typename ...Quote ...Refused }}
}}
{_QUOTE}{_REFUSED}
fragment Row on PricedLine {{ description formula amount {{ amount }} period {{ startsOn endsOn }} }}
"""
CHANGE: Final = f"""
mutation change($input: ChangePlanInput!) {{
  changePlan(input: $input) {{
    __typename
    ... on PlanChanged {{
      replayed creditAdded {{ amount }}
      invoice {{ ...Paper }} creditNote {{ ...Paper }}
      scheduledChanges {{ id effectiveOn summary replaces }}
    }}
    ... on QuoteOutdated {{ current {{ ...Quote }} }}
    ...Refused
  }}
}}
{_PAPER}{_QUOTE}{_REFUSED}
"""
CANCEL: Final = """
mutation cancel($input: CancelScheduledChangeInput!) {
  cancelScheduledChange(input: $input) {
    __typename
    ... on ScheduledChangeCancelled { subscription { version } }
    ... on Refusal { message }
  }
}
"""
PREVIEW_END: Final = f"""
mutation previewEnd($input: PreviewCancelSubscriptionInput!) {{
  previewCancelSubscription(input: $input) {{ __typename ...Quote ...Refused }}
}}
{_QUOTE}{_REFUSED}
fragment Row on PricedLine {{ description formula amount {{ amount }} period {{ startsOn endsOn }} }}
"""
END: Final = f"""
mutation end($input: CancelSubscriptionInput!) {{
  cancelSubscription(input: $input) {{
    __typename
    ... on SubscriptionCancelled {{
      replayed creditAdded {{ amount }}
      invoice {{ ...Paper }} creditNote {{ ...Paper }}
      scheduledChanges {{ id effectiveOn summary replaces }}
    }}
    ... on QuoteOutdated {{ current {{ ...Quote }} }}
    ...Refused
  }}
}}
{_PAPER}{_QUOTE}{_REFUSED}
"""
PREVIEW_RESUME: Final = PREVIEW_END.replace("CancelSubscription", "ResumeSubscription")
RESUME: Final = f"""
mutation resume($input: ResumeSubscriptionInput!) {{
  resumeSubscription(input: $input) {{
    __typename
    ... on SubscriptionResumed {{ replayed invoice {{ ...Paper }} }}
    ... on QuoteOutdated {{ current {{ ...Quote }} }}
    ...Refused
  }}
}}
{_PAPER}{_QUOTE}{_REFUSED}
"""
PAGE: Final = f"""
query page($asOf: DateTime, $knownAt: DateTime) {{
  customer {{
    creditBalance {{ amount }}
    subscription {{
      version status renewsOn
      plan {{ code }} price {{ interval seats {{ summary listSummary }} }} period {{ startsOn endsOn }}
      seats {{ metric {{ code }} committed atRenewal }}
      scheduledChanges {{ id effectiveOn summary replaces outlook renewalDifference {{ amount }} }}
    }}
    seatBalances(asOf: $asOf, knownAt: $knownAt) {{
      metric {{ code }} committed granted limit inUse available overage
    }}
    seatEvents(first: 100) {{
      edges {{ node {{
        id balanceKind added removed balance note corrects {{ id }} correctedBy {{ id }}
        invoiceLines {{ formula }}
      }} }}
    }}
    invoices(first: 30) {{ edges {{ node {{ ...Paper }} }} }}
    creditNotes(first: 30) {{ edges {{ node {{ ...Paper }} }} }}
    upcomingInvoice {{
      on lines {{ kind formula amount {{ amount }} }} totals {{ total {{ amount }} amountDue {{ amount }} }}
    }}
  }}
}}
{_PAPER}
"""


@dataclass(frozen=True, slots=True)
class Paper:
    """An invoice or a credit note. A line reads `5 seats × 10.00 USD × 15/30 days = 25.00`, a tax
    `VAT 19 % on 25.00 = 4.75`; amounts are in major units, as they were shown.
    """

    id: str
    number: str
    issued_on: str
    lines: list[str]
    descriptions: list[str]
    days: list[str]
    taxes: list[str]
    subtotal: str
    tax: str
    total: str
    credit_applied: str
    amount_due: str
    open: str | None
    status: str | None
    credit_added: str | None
    reverses: list[str]
    pdf: str = field(compare=False)

    @classmethod
    def of(cls, found: dict[str, Any]) -> Paper:
        totals, rows = found["totals"], found["lines"]
        return cls(
            id=found["id"],
            number=found["number"],
            issued_on=found["issuedOn"],
            lines=[line(row) for row in rows],
            descriptions=[row["description"] for row in rows],
            days=[days(row["period"]) for row in rows],
            taxes=[tax(each) for each in totals["taxes"]],
            subtotal=totals["subtotal"]["amount"],
            tax=totals["tax"]["amount"],
            total=totals["total"]["amount"],
            credit_applied=totals["creditApplied"]["amount"],
            amount_due=totals["amountDue"]["amount"],
            open=found["amountOpen"]["amount"] if "amountOpen" in found else None,
            status=found.get("status"),
            credit_added=found["creditAdded"]["amount"] if "creditAdded" in found else None,
            reverses=[invoice["number"] for invoice in found.get("invoices", ())],
            pdf=found["pdf"]["url"],
        )


def line(row: dict[str, Any]) -> str:
    """How an amount came about, and the amount."""
    return f"{row['formula']} = {row['amount']['amount']}"


def days(period: dict[str, str]) -> str:
    """`2026-01-31 – 2026-02-28`: the second day is not part of it."""
    return f"{period['startsOn']} – {period['endsOn']}"


def tax(found: dict[str, Any]) -> str:
    """`VAT 19 % on 37.50 = 7.13`, after its category where that is not the standard one."""
    category = "" if found["category"] == "STANDARD" else f"{found['category']}: "
    rate, base, amount = found["ratePercent"], found["base"]["amount"], found["amount"]["amount"]
    return f"{category}{found['label']} {rate} % on {base} = {amount}"


def nodes(connection: dict[str, Any]) -> list[dict[str, Any]]:
    """The elements of a page, oldest first, as a diary tells them."""
    return [edge["node"] for edge in reversed(connection["edges"])]
