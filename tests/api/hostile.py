"""Documents and bodies that want more work from a server than they cost to send."""

from collections.abc import Callable, Mapping
from typing import Final

import orjson


def spread(count: int, text: Callable[[int], str]) -> str:
    """So many texts, one after the other."""
    return " ".join(text(n) for n in range(count))


def doubling(levels: int) -> str:
    """Fragments that each spread the next one twice."""
    fragments = spread(levels, lambda n: f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }}")
    return f"{{ ...f0 }} {fragments} fragment f{levels} on Query {{ viewer {{ name }} }}"


def everyone_spreads_all(fragments: int) -> str:
    """Fragments that each spread all those after it."""

    def one(n: int) -> str:
        others = spread(fragments - n - 1, lambda m: f"...f{n + 1 + m}")
        return f"fragment f{n} on Query {{ {others} __typename }}"

    return f"{{ ...f0 }} {spread(fragments, one)}"


DOCUMENTS: Final[Mapping[str, Callable[[int], str]]] = {
    "fragments that double": lambda n: doubling(n // 10),
    "fragments that spread all others": lambda n: everyone_spreads_all(int((n / 2) ** 0.5)),
    "a chain of fragments": lambda n: (
        "{ ...f0 } "
        + spread(n // 7, lambda i: f"fragment f{i} on Query {{ ...f{i + 1} }}")
        + f" fragment f{n // 7} on Query {{ viewer {{ name }} }}"
    ),
    "a cycle of fragments": lambda n: (
        "{ ...f0 } "
        + spread(n // 9, lambda i: f"fragment f{i} on Query {{ ...f{i + 1} ...f0 }}")
        + f" fragment f{n // 9} on Query {{ ...f0 }}"
    ),
    "one fragment spread often": lambda n: "{" + " ...f" * (n // 2) + "} fragment f on Query { __typename }",
    "fragments of the same": lambda n: (
        f"{{ {spread(n // 10, lambda i: f'...f{i}')} }} "
        + spread(n // 10, lambda i: f"fragment f{i} on Query {{ viewer {{ name }} }}")
    ),
    "fragments for nothing": lambda n: (
        "{ viewer { name } } " + spread(n // 7, lambda i: f"fragment f{i} on Viewer {{ name }}")
    ),
    "aliases": lambda n: f"{{ {spread(n // 6, lambda i: f'a{i}: viewer {{ name }}')} }}",
    "the same field": lambda n: "{ viewer {" + " name" * (n - 4) + "} }",
    "the same object": lambda n: "{ customer {" + " subscription { id }" * (n // 4) + "} }",
    "the same page": lambda n: (
        "{ customer {" + " invoices(first: 1) { edges { cursor } }" * (n // 12) + "} }"
    ),
    "the same of a union": lambda n: (
        'mutation { changePlan(input: {subscriptionId: "x", idempotencyKey: "x"}) {'
        + " ... on PlanChanged { replayed } ... on Busy { message }" * (n // 12)
        + "} }"
    ),
    "braces": lambda n: "{" + " ... {" * (n // 3) + " __typename" + "}" * (n // 3) + "}",
    "directives": lambda n: "{ viewer { name" + " @include(if: true)" * (n // 6) + "} }",
    "fields that are none": lambda n: f"{{ {spread(n, lambda i: f'x{i}')} }}",
    "variables": lambda n: f"query q({spread(n // 5, lambda i: f'$v{i}: Int')}) {{ viewer {{ name }} }}",
    "pages by variables": lambda n: (
        f"query q({spread(n // 15, lambda i: f'$v{i}: Int!')}) {{ customer {{ "
        + spread(n // 15, lambda i: f"invoices(first: $v{i}) {{ edges {{ cursor }} }}")
        + " } }"
    ),
    "a list": lambda n: (
        "{ customer { invoices(status: [" + "OPEN " * (n - 15) + "]) { edges { cursor } } } }"
    ),
    "a list of nonsense": lambda n: (
        "{ customer { invoices(status: [" + "X " * (n - 15) + "]) { edges { cursor } } } }"
    ),
    "an object of nonsense": lambda n: (
        f"mutation {{ changePlan(input: {{{spread(n // 3, lambda i: f'a{i}: 1')}}}) {{ __typename }} }}"
    ),
    "a list of objects": lambda n: (
        'mutation { changePlan(input: {subscriptionId: "x", idempotencyKey: "x", seats: ['
        + '{metric: "e", quantity: {add: 1}}' * (n // 12)
        + "]}) { __typename } }"
    ),
}  # fmt: skip
"""By their names, each of about so many tokens."""


def of_query(query: str) -> bytes:
    """The body of a request for it."""
    return orjson.dumps({"query": query})


BODIES: Final[Mapping[str, bytes]] = {
    "9 MB of one field": of_query("{" + "balance " * 1_125_000 + "}"),
    "9 MB of nothing": b" " * 9_000_000,
    "100,000 fields": of_query("{" + " balance" * 100_000 + "}"),
    "10,000 unknown fields": of_query(f"{{{spread(10_000, lambda n: f'x{n}')}}}"),
    "3,000 aliases": of_query(f"{{{spread(3_000, lambda n: f'a{n}: balance')}}}"),
    "200 levels of fragments that double": of_query(doubling(200)),
    "90 levels of fragments that double": of_query(doubling(90)),
    "deep JSON of 200,000 lists": b"[" * 200_000,
    "deep JSON of 90,000 lists": b"[" * 90_000,
    "deep variables": b'{"query": "{ balance }", "variables": {"a":' + b"[" * 45_000 + b"]" * 45_000 + b"}}",
    "deep objects": b'{"query": "{ balance }", "variables": ' + b'{"a":' * 15_000 + b"1" + b"}" * 15_001,
    "10,000 variables": of_query(f"query q({spread(10_000, lambda n: f'$v{n}: Int')}) {{ balance }}"),
    "a text of 90,000 characters": of_query('{ greeting(name: "' + "x" * 90_000 + '") }'),
    "a number of 90,000 digits": of_query("{ numbers(first: " + "9" * 90_000 + ") }"),
    "a list of 40,000 numbers": of_query("{ numbers(first: [" + "1 " * 40_000 + "]) }"),
    "a block text of 30,000 lines": of_query('{ greeting(name: """' + " \n" * 30_000 + '""") }'),
    "lone surrogates": b'{"query": "{ greeting(name: \\"\\ud800\\") }"}',
    "U+0000": b'{"query": "{ greeting(name: \\"\\u0000\\") }"}',
    "a batch": b"[" + b",".join([b'{"query": "mutation { refund }"}'] * 1_000) + b"]",
    "bytes that are no text": b"\xff\xfe\x00" * 1_000,
    "two operations": of_query("mutation A { refund } query B { balance }"),
}
