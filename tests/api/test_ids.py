"""Public ids: every UUID has one spelling, and nothing else is an id."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.api import ids
from app.api.ids import Kind, PublicId

KINDS = st.sampled_from(list(Kind))
UUIDS = st.integers(0, 2**128 - 1).map(lambda number: UUID(int=number))
# 3 × 32 + 1 = 97, so the last two digits are 3 and 1.
INVOICE = "inv_00000000000000000000000031"


@given(KINDS, UUIDS)
def test_an_id_comes_back(kind: Kind, id: UUID) -> None:
    """Putting the prefix on and taking it off gives the same id, of the same kind only."""
    text = ids.encode(kind, id)

    assert len(text) == 30
    assert ids.decode(text) == PublicId(kind, id)
    assert str(PublicId(kind, id)) == text
    assert [ids.decode_as(other, text) for other in Kind] == [id if other is kind else None for other in Kind]


@given(st.text(max_size=40) | st.from_regex(r"(cus|inv|sub)_[0-9a-z]{26}", fullmatch=True))
def test_one_spelling_for_each_id(text: str) -> None:
    """Whatever text is taken for an id is the text that the id is given out as."""
    decoded = ids.decode(text)

    assert decoded is None or ids.encode(*decoded) == text


def test_an_id_worked_out_by_hand() -> None:
    """97 is 3 × 32 + 1: the digits 3 and 1 after 24 zeros."""
    assert ids.encode(Kind.INVOICE, UUID(int=97)) == INVOICE


@given(UUIDS, UUIDS)
def test_ids_sort_as_their_uuids(one: UUID, other: UUID) -> None:
    """Ids of one kind, made in the order of time, also sort so as texts."""
    assert (ids.encode(Kind.INVOICE, one) < ids.encode(Kind.INVOICE, other)) == (one < other)


def test_what_is_no_id() -> None:
    """Other prefixes, capitals, look-alikes, other lengths and numbers over 128 bits are all no id."""
    wrong = [
        "",
        "inv",
        "inv_",
        INVOICE.upper(),
        INVOICE.replace("inv", "Inv"),
        INVOICE.replace("inv", "seat"),
        INVOICE.replace("_", "-"),
        INVOICE[:-1],
        INVOICE + "0",
        INVOICE[:-1] + "i",
        INVOICE[:-1] + "l",
        INVOICE[:-1] + "o",
        INVOICE[:-1] + "u",
        INVOICE[:-1] + "٣",
        INVOICE[:-1] + "\n",
        f" {INVOICE[1:]}",
        "inv_80000000000000000000000000",
        "inv_zzzzzzzzzzzzzzzzzzzzzzzzzz",
        str(UUID(int=97)),
    ]

    assert [text for text in wrong if ids.decode(text) is not None] == []
    assert ids.decode("inv_7zzzzzzzzzzzzzzzzzzzzzzzzz") == PublicId(Kind.INVOICE, UUID(int=2**128 - 1))


def test_the_prefixes_of_the_contract() -> None:
    """The prefixes that clients see, those of webhooks last."""
    prefixes = ["cus", "sub", "evt", "lin", "inv", "crn", "chg", "whe", "msg", "dlv"]
    assert [kind.value for kind in Kind] == prefixes
