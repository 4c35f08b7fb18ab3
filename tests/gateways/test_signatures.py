"""Signatures, held against the library of the standard."""

import base64
import json
import random
from datetime import UTC, datetime, timedelta, timezone

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from app.gateways.webhooks import Letter, letter, secret_text, signature

URL = "https://hooks.example.com/seatport"
LETTERS = 'abcXYZ019 äßœ→漢字🙂"\\\n{}[]'


def random_payload(dice: random.Random) -> bytes:
    """JSON of nested data in many scripts."""

    def text() -> str:
        return "".join(dice.choices(LETTERS, k=dice.randrange(30)))

    data = {text(): dice.choice([text(), dice.randrange(10**9), None, [text()], {text(): text()}])}
    return json.dumps({"type": text(), "data": data}, ensure_ascii=dice.random() < 0.5).encode()


def verified(made: Letter, secret: str) -> bool:
    """Whether the library takes it."""
    try:
        Webhook(secret).verify(made.body, dict(made.headers), json_parse=False)
    except (
        WebhookVerificationError,
        ValueError,
    ):  # It raises ValueError itself for what it cannot take apart.
        return False
    return True


def test_a_fixed_vector() -> None:
    """The signature of a known message, worked out with another program."""
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    at = datetime.fromtimestamp(1614265330, UTC)
    body = b'{"test": 2432232314}'

    made = signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, body)

    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert secret_text(key) == "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_the_library_takes_every_signature() -> None:
    """1,000 random payloads, signed with keys of 32 random bytes, are good; none with another key."""
    dice = random.Random(1)
    for number in range(1000):
        key, other = dice.randbytes(32), dice.randbytes(32)
        made = letter(URL, f"msg_{number}", random_payload(dice), keys=[key], at=datetime.now(UTC))

        assert verified(made, secret_text(key))
        assert not verified(made, secret_text(other))


def test_the_library_refuses_whatever_was_changed() -> None:
    """10,000 times one bit of id, timestamp, body or signature is turned: every one is noticed."""
    dice = random.Random(2)
    key = dice.randbytes(32)
    made = letter(URL, "msg_1", random_payload(dice) + b"  ", keys=[key], at=datetime.now(UTC))
    for _ in range(10_000):
        headers, body = dict(made.headers), bytearray(made.body)
        part = dice.choice(["webhook-id", "webhook-timestamp", "webhook-signature", "body"])
        if part == "body":
            body[dice.randrange(len(body))] ^= 1 << dice.randrange(7)
        else:
            headers[part] = turned(headers[part], dice)
        try:
            body.decode()
        except UnicodeDecodeError:
            continue  # No text: nobody can take it for the message.
        assert not verified(Letter(URL, headers, bytes(body)), secret_text(key)), (part, headers, body)


def turned(text: str, dice: random.Random) -> str:
    """A header with one character exchanged by another that headers may hold."""
    place = dice.randrange(len(text))
    if text.endswith("=") and place >= len(text) - 2:
        place = 5  # The last character before the padding has two bits that say nothing.
    others = [c for c in "abcdefghij0123456789+/_," if c != text[place]]
    return text[:place] + dice.choice(others) + text[place + 1 :]


def test_both_keys_sign_while_one_is_replaced() -> None:
    """A letter with two signatures is taken with either secret, and with no third."""
    old, new, third = b"o" * 32, b"n" * 32, b"t" * 32
    made = letter(URL, "msg_1", b"{}", keys=[new, old], at=datetime.now(UTC))

    assert [verified(made, secret_text(key)) for key in (old, new, third)] == [True, True, False]


def test_an_instant_is_the_same_in_every_zone() -> None:
    """The same instant, said in UTC or two hours ahead, is signed alike; without an offset it is refused."""
    at = datetime(2026, 4, 16, 9, 30, 0, 900_000, tzinfo=UTC)
    elsewhere = at.astimezone(timezone(timedelta(hours=2)))

    assert signature(b"k", "m", at, b"") == signature(b"k", "m", elsewhere, b"")
    with pytest.raises(AssertionError):
        signature(b"k", "m", datetime(2026, 4, 16), b"")  # noqa: DTZ001  That is what is tried.
