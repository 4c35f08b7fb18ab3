"""Examples that others published, run through the billing rules.

`cases.jsonl` holds worked examples from public documentation, public test suites and a few invoices, brought
into one format; `python -m tests.published FILE.jsonl` runs any file in it. One JSON object a line:

    {"id", "source", "kind", "currency", "given": {...}, "expect": {...}, "note"}

Every key that `expect` has is compared as text, or as a list of texts; what it has not was not published.

**Values.** Amounts are decimal text with the currency's digits, unit prices may have more. `2026-04-16` is a
local day of the case's `timezone`, or its midnight where an instant is needed; `2026-04-16T09:30:00Z` is an
instant. Periods are pairs that do not hold their end. `granularity` says whether a share is counted in local
days (`day`) or in elapsed seconds (`second`); `days: [part, whole]` is a share by itself, where only numbers
were published.

**Kinds**, and what the rules are asked for each (`adapters.py`):

    prorate     unit_amount, quantity, period and part      amount        a charge for a share of a period
    change      mode, from, to, period and at               credit, charge, net    a change of plan, decided
    periods     anchor, interval, count                     boundaries    the first boundaries of the grid
    period_at   anchor, interval, at                        period        the period of the grid at an instant
    price       model, quantities, tiers or package fields  amounts       a full period of each quantity
    credit_cap  unused, paid, already_credited              credit        what of it may be given back
    usage       strategy, unit_amount, opening, events      amount        the line of a period in arrears
    tax         rate_percent, lines, level, inclusive       line_tax, tax, total
    balance     credit, invoices                            applied, due, left    credit pays in order

A case with a fractional quantity is counted apart and not run: seats are whole. A case that the rules answer
otherwise on purpose is listed with the reason; among ours there is none.
"""
