"""Facts become a view: once, at finalisation, in the customer's words.

Everything a template could be tempted to decide is decided here: which rows exist, what the headline says,
what is a credit, which notes the tax treatment demands. A credit note shows its amounts positive, as what it
gives.
"""

import re
from functools import cache, lru_cache
from itertools import groupby
from typing import Final

from app.documents.facts import (
    BankAccount,
    DocumentFacts,
    DocumentKind,
    LineFacts,
    Party,
    TaxCategory,
    TaxFacts,
    checked,
    turned,
)
from app.documents.text import NAME_MAX, NOTE_MAX, SENTENCE_MAX, cleaned
from app.documents.view import (
    CREDIT_NOTE_TEMPLATE,
    INVOICE_TEMPLATE,
    DocumentView,
    GroupView,
    LabelsView,
    LineView,
    PartyView,
    RowView,
    TaxView,
)
from app.documents.wording import (
    MINUS,
    document_locale,
    format_country,
    format_date,
    format_money,
    format_period,
    format_quantity,
    format_rate,
    format_unit_amount,
    joined,
    plural,
    tax_name,
    word,
)

ADDRESS_LINES_MAX: Final = 8
PARTIES_KEPT: Final = 256
_NOTES: Final = {
    TaxCategory.REVERSE_CHARGE: "note.reverse_charge",
    TaxCategory.OUTSIDE_SCOPE: "note.outside_scope",
}
_PARENTHESES: Final = re.compile(r"\([^)]*\)")

VAT_COUNTRIES: Final = frozenset(
    [
        "AT", "BE", "BG", "CH", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GB", "GR", "HR", "HU", "IE",
        "IS", "IT", "LI", "LT", "LU", "LV", "MC", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
    ]
)  # fmt: skip
"""Where a company's tax number is called a VAT number."""


def view_of(facts: DocumentFacts) -> DocumentView:
    """The frozen view of a document.

    Raises FactsInvalid if the amounts do not add up.
    """
    checked(facts)
    return _Composer(facts).view()


class _Composer:
    """One document on its way into words: the facts, and the locale they are said in."""

    def __init__(self, facts: DocumentFacts) -> None:
        self.is_invoice = facts.kind is DocumentKind.INVOICE
        self.facts = facts if self.is_invoice else turned(facts)
        self.locale = document_locale(facts.locale)

    def view(self) -> DocumentView:
        facts = self.facts
        which = "invoice" if self.is_invoice else "credit_note"
        kind = self.say(which)
        number = cleaned(facts.number, longest=NAME_MAX)
        return DocumentView(
            template=INVOICE_TEMPLATE if self.is_invoice else CREDIT_NOTE_TEMPLATE,
            locale=self.locale,
            title=self.say("title", kind=kind, number=number),
            kind=kind,
            number=number,
            issued_on=facts.issued_on.isoformat(),
            headline=self.headline(),
            subline=self.subline(),
            facts=self.heads(number),
            seller=_party(facts.seller, "seller", self.locale, self.locale),
            buyer=_party(facts.buyer, f"buyer.{which}", facts.locale, self.locale),
            labels=_labels(self.locale),
            groups=self.groups(),
            shows_tax=len(facts.tax_rates) > 1,
            subtotal=RowView(self.say("subtotal"), self.money(facts.subtotal)),
            taxes=tuple(self.tax(t) for t in facts.taxes if t.category is not TaxCategory.OUTSIDE_SCOPE),
            before_result=self.before_result(),
            result=self.result(),
            after_result=self.after_result(),
            payment=self.payment(number),
            notes=self.notes(),
            footer=cleaned(facts.footer, longest=SENTENCE_MAX),
        )

    def say(self, key: str, **values: str) -> str:
        return word(key, self.locale, **values)

    def money(self, minor: int) -> str:
        return format_money(minor, self.facts.currency, self.facts.digits, self.locale)

    def headline(self) -> str:
        facts = self.facts
        if not self.is_invoice:
            on = format_date(facts.issued_on, self.locale)
            return self.say("headline.credited", amount=self.money(facts.total), date=on)
        if facts.amount_due == 0:
            return self.say("headline.nothing")
        assert facts.due_on is not None, "an invoice has a due date"
        on = format_date(facts.due_on, self.locale)
        return self.say("headline.due", amount=self.money(facts.amount_due), date=on)

    def subline(self) -> str:
        facts = self.facts
        if facts.corrects:
            numbers = joined([cleaned(number, longest=NAME_MAX) for number in facts.corrects], self.locale)
            return plural("note.corrects", len(facts.corrects), self.locale, numbers=numbers)
        settled = self.is_invoice and facts.amount_due == 0 and facts.credit_applied > 0
        return self.say("subline.settled") if settled else ""

    def heads(self, number: str) -> tuple[RowView, ...]:
        """Number, dates and references, in that order."""
        facts = self.facts
        service = facts.service
        rows = (
            ("number.invoice" if self.is_invoice else "number.credit_note", number),
            ("issued_on", format_date(facts.issued_on, self.locale)),
            ("due_on", format_date(facts.due_on, self.locale) if facts.due_on else ""),
            ("service_period", format_period(service.start, service.end, self.locale) if service else ""),
            ("purchase_order", cleaned(facts.purchase_order, longest=NAME_MAX)),
            ("reference", cleaned(facts.reference, longest=NAME_MAX)),
        )
        return self.rows(rows)

    def rows(self, rows: tuple[tuple[str, str], ...]) -> tuple[RowView, ...]:
        return _rows(rows, self.locale)

    def groups(self) -> tuple[GroupView, ...]:
        """Lines in their order; neighbours with one heading stand under it together."""
        return tuple(
            GroupView(cleaned(heading, longest=NAME_MAX), tuple(self.line(line) for line in lines))
            for heading, lines in groupby(self.facts.lines, key=lambda line: line.group)
        )

    def line(self, line: LineFacts) -> LineView:
        facts, unit = self.facts, line.unit_amount
        formula = line.formula if self.is_invoice else turned_formula(line.formula)
        return LineView(
            description=cleaned(line.description, longest=SENTENCE_MAX),
            period=format_period(line.period.start, line.period.end, self.locale) if line.period else "",
            formula=cleaned(formula, longest=SENTENCE_MAX),
            quantity=format_quantity(line.quantity, self.locale),
            unit_amount=""
            if unit is None
            else format_unit_amount(unit, facts.currency, facts.digits, self.locale),
            tax=format_rate(line.tax_rate, self.locale),
            amount=self.money(line.amount),
            is_credit=line.amount < 0,
        )

    def tax(self, tax: TaxFacts) -> TaxView:
        key = "tax.reverse_charge" if tax.category is TaxCategory.REVERSE_CHARGE else "tax"
        label = cleaned(tax_name(tax.label, self.locale), longest=NAME_MAX)
        return TaxView(
            label=self.say(key, label=label, rate=format_rate(tax.rate, self.locale)),
            base=self.say("tax.base", base=self.money(tax.base)),
            amount=self.money(tax.amount),
        )

    def before_result(self) -> tuple[RowView, ...]:
        """The total of an invoice, and what credit paid of it."""
        facts = self.facts
        if not self.is_invoice:
            return ()
        applied = self.money(-facts.credit_applied) if facts.credit_applied else ""
        return self.rows((("total.invoice", self.money(facts.total)), ("credit_applied", applied)))

    def result(self) -> RowView:
        facts = self.facts
        if self.is_invoice:
            label, amount = "amount_due", facts.amount_due
        else:
            label, amount = "total.credit_note", facts.total
        return RowView(self.say(label, currency=facts.currency), self.money(amount))

    def after_result(self) -> tuple[RowView, ...]:
        """Where the amount of a credit note went."""
        facts = self.facts
        if self.is_invoice:
            return ()
        reductions = tuple(
            RowView(
                self.say("reduces", number=cleaned(part.invoice_number, longest=NAME_MAX)),
                self.money(part.amount),
            )
            for part in facts.reductions
        )
        added = self.money(facts.credit_added) if facts.credit_added else ""
        return reductions + self.rows((("credit_added", added),))

    def payment(self, number: str) -> tuple[RowView, ...]:
        bank = self.facts.bank
        if bank is None or not self.is_invoice or self.facts.amount_due == 0:
            return ()
        account = _account(bank, bank.holder or self.facts.seller.name, self.locale)
        return (*account, *self.rows((("payment.reference", number),)))

    def notes(self) -> tuple[str, ...]:
        """The sentences that the tax treatments demand, each once."""
        notes = [
            self.say(note, label=tax_name(cleaned(tax.label, longest=NAME_MAX), self.locale))
            for tax in self.facts.taxes
            if (note := _NOTES.get(tax.category))
        ]
        return tuple(cleaned(note, longest=NOTE_MAX) for note in dict.fromkeys(notes))


def _rows(rows: tuple[tuple[str, str], ...], locale: str) -> tuple[RowView, ...]:
    """Rows with their labels; what has no value has no row."""
    return tuple(RowView(word(key, locale), value) for key, value in rows if value)


@lru_cache(PARTIES_KEPT)
def _party(party: Party, heading: str, language: str, locale: str) -> PartyView:
    tax_id = "vat_id" if party.country.upper() in VAT_COUNTRIES else "tax_id"
    return PartyView(
        heading=word(heading, locale),
        name=cleaned(party.name, longest=NAME_MAX),
        address=tuple(
            line for part in party.address[:ADDRESS_LINES_MAX] if (line := cleaned(part, longest=NAME_MAX))
        ),
        country=format_country(party.country, locale) if party.country else "",
        details=_rows(
            (
                (tax_id, cleaned(party.tax_id, longest=NAME_MAX)),
                ("registration", cleaned(party.registration, longest=NAME_MAX)),
            ),
            locale,
        ),
        email=cleaned(party.email, longest=NAME_MAX),
        language=cleaned(language, longest=35).replace("_", "-"),
    )


@lru_cache(PARTIES_KEPT)
def _account(bank: BankAccount, holder: str, locale: str) -> tuple[RowView, ...]:
    """Where to pay to."""
    return _rows(
        (
            ("payment.holder", cleaned(holder, longest=NAME_MAX)),
            ("payment.iban", spaced_iban(cleaned(bank.iban, longest=NAME_MAX))),
            ("payment.bic", cleaned(bank.bic, longest=NAME_MAX)),
            ("payment.bank", cleaned(bank.bank, longest=NAME_MAX)),
        ),
        locale,
    )


@cache
def _labels(locale: str) -> LabelsView:
    return LabelsView(
        description=word("column.description", locale),
        quantity=word("column.quantity", locale),
        unit_amount=word("column.unit_amount", locale),
        tax=word("column.tax", locale),
        amount=word("column.amount", locale),
        payment=word("payment", locale),
        page_before=word("page.before", locale),
        page_between=word("page.between", locale),
    )


def turned_formula(formula: str) -> str:
    """The formula with the opposite sign: `−5 seats × 15.00 USD` loses its minus, any other gets one."""
    if formula.startswith(MINUS):
        return formula.removeprefix(MINUS)
    if not formula:
        return formula
    is_sum = " + " in _PARENTHESES.sub("", formula)
    return f"{MINUS}({formula})" if is_sum else f"{MINUS}{formula}"


def spaced_iban(iban: str) -> str:
    """An IBAN in groups of four, as it is typed; what is no IBAN stays as it is."""
    plain = iban.replace(" ", "")
    if not plain.isalnum() or not plain.isascii():
        return iban
    return " ".join(plain[n : n + 4] for n in range(0, len(plain), 4))
