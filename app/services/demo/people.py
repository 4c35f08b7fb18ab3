"""Invented people. Their addresses are at example.com, which belongs to nobody."""

from __future__ import annotations

from app.billing.ledger import Holder
from app.billing.permissions import Role

_FIRST = (
    "Ada", "Ben", "Chloe", "Daniel", "Elif", "Farid", "Grace", "Hugo", "Ines", "Jonas", "Keiko", "Liam",
    "Maya", "Noah", "Olivia", "Pavel", "Quinn", "Rosa", "Samir", "Tessa", "Uma", "Victor", "Wanda",
    "Xavier", "Yara", "Zoe",
)  # fmt: skip
_LAST = (
    "Abbott", "Bauer", "Costa", "Dahl", "Evans", "Fischer", "Garcia", "Hughes", "Ito", "Jansen",
    "Keller", "Lopez", "Moreau", "Novak", "Okafor", "Petrov", "Quist", "Romano", "Silva", "Tanaka",
    "Unger", "Varga", "Weber", "Xu", "Young", "Ziegler",
)  # fmt: skip


def person(number: int, company: str) -> Holder:
    """Someone of a company, the same for the same number; up to 676 different ones."""
    first = _FIRST[number % len(_FIRST)]
    last = _LAST[(number * 7 + number // len(_FIRST)) % len(_LAST)]
    email = f"{first}.{last}@{company}.example.com".lower()
    return Holder(f"user-{number + 1:03}", f"{first} {last}", email)


def office(company: str, first: int) -> dict[Role, Holder]:
    """One in each role, who use the portal and hold no seat."""
    return {role: person(first + i, company) for i, role in enumerate(Role)}
