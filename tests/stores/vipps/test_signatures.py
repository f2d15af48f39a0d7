"""The signature on Vipps' notices: the published vector, and everything that must not pass for it."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stores.vipps import signatures
from stores.vipps.signatures import Signed, Verdict

SECRET = "A0+AeKBRG2KRGvnNwJpQlb6IJFk48CKXCIcrLoHncVJKDILsQSxS6NWCccwWm6r6FhGKhiHTBsG2wo/xU6FY/A=="
HOST = "webhook.site"
PATH = "/e2cee29b-012e-4f1d-8ef4-e95fd74a7a63"
SENT_AT = datetime(2023, 3, 30, 8, 38, 32, tzinfo=UTC)
VECTOR = Signed(
    body=b'{"some-unique-content":"ee6e441b-cc4a-46f8-895d-a5af79bcc233/hello-world"}',
    date="Thu, 30 Mar 2023 08:38:32 GMT",
    content_hash="lNlsp1XA03N34HrQsVzPgJKtC+r7l/RBF4V3JQUWMj4=",
    authorization=(
        "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=agAiSyogQbDHpeucoNwYz+yAr5nJ+v+zasdkSbqzv+U="
    ),
)


def judged(
    signed: Signed, *, secret: str = SECRET, host: str = HOST, path: str = PATH, received_at: datetime = SENT_AT
) -> Verdict:
    return signatures.verify(secret, signed, host=host, path_and_query=path, received_at=received_at)


def test_vipps_own_example_is_genuine() -> None:
    assert judged(VECTOR) is Verdict.GENUINE
    assert signatures.sign(SECRET, body=VECTOR.body, date=VECTOR.date, host=HOST, path_and_query=PATH) == VECTOR


@pytest.mark.parametrize(
    ("signed", "verdict"),
    [
        (dataclasses.replace(VECTOR, body=VECTOR.body + b" "), Verdict.CHANGED),
        (dataclasses.replace(VECTOR, content_hash=""), Verdict.CHANGED),
        (dataclasses.replace(VECTOR, content_hash="é"), Verdict.CHANGED),
        (dataclasses.replace(VECTOR, authorization=""), Verdict.FORGED),
        (dataclasses.replace(VECTOR, authorization=VECTOR.authorization.replace("agAi", "agAj")), Verdict.FORGED),
        (dataclasses.replace(VECTOR, authorization=VECTOR.authorization.replace("host;", "")), Verdict.FORGED),
        (dataclasses.replace(VECTOR, date="Thu, 30 Mar 2023 08:38:33 GMT"), Verdict.FORGED),
    ],
)
def test_a_change_anywhere_is_noticed(signed: Signed, verdict: Verdict) -> None:
    assert judged(signed) is verdict


def test_it_proves_one_address_and_one_secret_only() -> None:
    assert judged(VECTOR, host="webhook.site.example") is Verdict.FORGED
    assert judged(VECTOR, path=PATH + "/") is Verdict.FORGED
    assert judged(VECTOR, secret=SECRET[:-2]) is Verdict.FORGED


@pytest.mark.parametrize(
    ("late", "verdict"),
    [
        (timedelta(minutes=5), Verdict.GENUINE),
        (timedelta(minutes=5, seconds=1), Verdict.STALE),
        (timedelta(minutes=-5), Verdict.GENUINE),
        (timedelta(minutes=-5, seconds=-1), Verdict.STALE),
        (timedelta(days=3650), Verdict.STALE),
    ],
)
def test_a_replay_later_than_five_minutes_is_stale(late: timedelta, verdict: Verdict) -> None:
    assert judged(VECTOR, received_at=SENT_AT + late) is verdict


@pytest.mark.parametrize("date", ["", "yesterday", "Thu, 31 Feb 2023 08:38:32 GMT", "Thu, 30 Mar 2023 08:38:32 +0200"])
def test_a_date_of_another_form_is_never_near(date: str) -> None:
    signed = signatures.sign(SECRET, body=b"{}", date=date, host=HOST, path_and_query=PATH)
    assert judged(signed) is Verdict.STALE


@given(body=st.binary(max_size=200), hash_=st.text(max_size=60), authorization=st.text(max_size=200), date=st.text(max_size=40))
def test_nothing_made_up_passes_or_breaks(body: bytes, hash_: str, authorization: str, date: str) -> None:
    made_up = Signed(body=body, date=date, content_hash=hash_, authorization=authorization)
    assert judged(made_up) in (Verdict.CHANGED, Verdict.FORGED)


def test_the_repr_shows_neither_body_nor_signature() -> None:
    assert "hello-world" not in repr(VECTOR)
    assert "agAi" not in repr(VECTOR)
