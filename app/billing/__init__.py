"""The rules of Seatport, pure: frozen values in, frozen values out. No clock, no I/O, no framework.

Read in this order:

    money       whole minor units, one rounding, parts that add up
    periods     half-open periods counted from an anchor, in the customer's zone
    plans       what a plan costs and allows (a price version)
    overrides   what was agreed with one customer: seats on top, an own price, minimum or maximum
    pricing     a quantity → the priced parts of it
    ledger      seat events → balances, as of and as known at any instant
    taxes       who pays which tax on which day
    lines       billing lines: what was charged, why, and what is left of it
    documents   totals; when lines become an invoice, a credit note, or wait
    state       all that a decision reads, and what it writes (a posting)
    charges     the lines that charge        credits     the lines that take back
    usage       seats in use over time       arrears     the lines that bill them afterwards
    renewals    a period ends, the next begins
    requests    what is asked, made absolute  moves      what the plan's policy makes of each part
    effects     what a change writes
    reach       how far the credit in hand lasts
    explaining  why a line comes to its amount, step by step
    changes     decide(state, request, at) → Quote | Refusal      ← the heart
    refusals    every expected no            permissions who may do what
"""
