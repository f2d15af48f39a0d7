"""Vipps' notices: kept at once, proved by a worker, and only ever a reason to look at the payment."""

import random
from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from pytest_django import Settings

from refunds import doorbell, sweep, tasks
from refunds.inbound.door import MAX_BODY_BYTES
from refunds.models import Refund, State
from stores import audit, notices, registrations
from stores.actors import hub
from stores.models import Entry, Notice, NoticeVerdict, Secret
from stores.vipps.simulator import Fault, FaultKind
from tests.conftest import Chain
from tests.refunds.asking import ask, run
from tests.vipps_notices import BASE, SECRET, VIPPS, Sender, body_of, registered

REFERENCE = "BGO-20261101-8801"

pytestmark = pytest.mark.usefixtures("rung", "one_connection")


def unknown_refund(chain: Chain) -> Refund:
    """Bergen's order, refunded in Oslo, with Vipps' answer lost and the next look a long time away."""
    order = chain.sold(chain.bergen, REFERENCE, 50_000)
    chain.simulator.arm(Fault(kind=FaultKind.DROP_AFTER, operation="refund"))
    refund = run(ask(order, 50_000, who=chain.kari, store=chain.oslo).refund)
    assert refund.state == State.UNKNOWN
    later = refund.accepted_at + timedelta(hours=1)
    Refund.objects.filter(pk=refund.pk).update(next_action_at=later)
    refund.refresh_from_db()
    return refund


def verdicts() -> list[str]:
    return list(Notice.objects.order_by("pk").values_list("verdict", flat=True))


def read_all() -> None:
    for notice_id in notices.unread_notices(limit=100):
        tasks.read_notice(str(notice_id))


def test_a_notice_lets_a_waiting_refund_be_looked_at_now(chain: Chain, rung: list[tuple[str, str]]) -> None:
    refund = unknown_refund(chain)
    registration = registered(chain.units["BGO"])
    response = VIPPS.send(registration.url, body_of("100002", REFERENCE))
    assert (response.status_code, response.content) == (200, b"")
    [notice] = Notice.objects.all()
    assert rung[-1] == ("refunds.read_notice", str(notice.pk))
    assert notice.verdict == NoticeVerdict.UNREAD
    read_all()
    notice.refresh_from_db()
    assert (notice.verdict, notice.msn, notice.reference, notice.name) == ("genuine", "100002", REFERENCE, "REFUNDED")
    before = refund.next_action_at
    refund.refresh_from_db()
    assert refund.state == State.UNKNOWN
    assert refund.next_action_at < before
    assert run(refund).state == State.REFUNDED


def test_the_payload_changes_nothing_by_itself(chain: Chain) -> None:
    """It says refunded, of a refund that was never sent: the hub asks Vipps, which knows better."""
    order = chain.sold(chain.bergen, REFERENCE, 50_000)
    refund = ask(order, 50_000, who=chain.kari, store=chain.oslo).refund
    entries = Entry.objects.filter(subject_type="refund").count()
    VIPPS.send(registered(chain.units["BGO"]).url, body_of("100002", REFERENCE))
    read_all()
    refund.refresh_from_db()
    assert (refund.state, refund.sends) == (State.QUEUED, 0)
    assert Entry.objects.filter(subject_type="refund").count() == entries
    assert chain.simulator.log(reference=REFERENCE, operation="refund") == []


def test_told_twice_is_looked_at_once(chain: Chain) -> None:
    unknown_refund(chain)
    url = registered(chain.units["BGO"]).url
    for _ in range(3):
        assert VIPPS.send(url, body_of("100002", REFERENCE)).status_code == 200
    VIPPS.send(url, body_of("100002", REFERENCE, psp_reference="psp-2"))
    read_all()
    assert sorted(verdicts()) == ["duplicate", "duplicate", "genuine", "genuine"]


@pytest.mark.parametrize(
    ("sender", "body", "verdict"),
    [
        (Sender(secret="B" * 88), body_of("100002", REFERENCE), "forged"),
        (Sender(late=timedelta(minutes=6)), body_of("100002", REFERENCE), "stale"),
        (Sender(late=timedelta(minutes=-6)), body_of("100002", REFERENCE), "stale"),
        (VIPPS, body_of("100001", REFERENCE), "other_unit"),
        (VIPPS, b"", "malformed"),
        (VIPPS, b"[" * 5_000, "malformed"),
        (VIPPS, b'{"a":' * 10_000, "malformed"),
        (VIPPS, b'{"msn": 100002}', "malformed"),
        (VIPPS, body_of("100002", "BGO\x00"), "malformed"),
        (VIPPS, body_of("100002\n", REFERENCE), "malformed"),
        (VIPPS, b"\xff\xfe", "malformed"),
    ],
)
def test_what_is_not_news_moves_nothing(chain: Chain, sender: Sender, body: bytes, verdict: str) -> None:
    refund = unknown_refund(chain)
    assert sender.send(registered(chain.units["BGO"]).url, body).status_code == 200
    read_all()
    assert verdicts() == [verdict]
    before = refund.next_action_at
    refund.refresh_from_db()
    assert refund.next_action_at == before


def test_a_notice_for_one_address_is_worth_nothing_at_another(chain: Chain) -> None:
    bergen = registered(chain.units["BGO"])
    oslo = registered(chain.units["OSL"], provider_id="vipps-2")
    VIPPS.send(bergen.url, body_of("100002", REFERENCE), to=oslo.url)
    read_all()
    assert verdicts() == ["forged"]


def test_a_thousand_mutations_are_all_refused(chain: Chain) -> None:
    unknown_refund(chain)
    url = registered(chain.units["BGO"]).url
    VIPPS.send(url, body_of("100002", REFERENCE))
    [genuine] = Notice.objects.all()
    rng = random.Random(7)
    for number in range(1000):
        body, headers = bytearray(genuine.body), dict(genuine.headers)
        name = rng.choice(["body", "x-ms-date", "x-ms-content-sha256", "Authorization"])
        text = bytearray(body if name == "body" else headers[name].encode())
        place = rng.randrange(len(text))
        text[place] = (text[place] + rng.randrange(1, 94) - 32) % 95 + 32 if text[place] >= 32 else 33
        unchanged = bytes(text) == (bytes(body) if name == "body" else headers[name].encode())
        if unchanged:
            continue
        if name == "body":
            body = text
        else:
            headers[name] = text.decode()
        notice = Notice.objects.create(
            registration=genuine.registration, body=bytes(body), headers=headers, received_at=genuine.received_at
        )
        assert notices.read_notice(notice.pk) is None, number
    assert set(Notice.objects.exclude(pk=genuine.pk).values_list("verdict", flat=True)) == {"changed", "forged"}
    assert notices.read_notice(genuine.pk) is not None


def test_a_partners_address_speaks_for_its_own_units_only(chain: Chain) -> None:
    partner = chain.units["TRD"].key_set
    assert partner is not None
    url = registered(partner).url
    VIPPS.send(url, body_of("100003", "TRD-20261101-1"))
    VIPPS.send(url, body_of("100002", REFERENCE))
    for notice in Notice.objects.order_by("pk"):
        doorbell.answer(notice.pk)
    assert verdicts() == ["genuine", "other_unit"]


def test_an_address_nobody_was_given_is_not_found(chain: Chain) -> None:
    registered(chain.units["BGO"])
    assert VIPPS.send(f"{BASE}/hooks/vipps/{'A' * 43}", b"{}").status_code == 404
    assert Client().get(f"/hooks/vipps/{'A' * 43}").status_code == 405
    assert not Notice.objects.exists()


def test_a_body_beyond_64_kib_is_not_kept(chain: Chain) -> None:
    url = registered(chain.units["BGO"]).url
    assert VIPPS.send(url, b"x" * MAX_BODY_BYTES).status_code == 200
    assert VIPPS.send(url, b"x" * (MAX_BODY_BYTES + 1)).status_code == 413
    assert Notice.objects.count() == 1


def test_a_flood_is_asked_to_come_back(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "MOST_UNREAD", 2)
    url = registered(chain.units["BGO"]).url
    assert [VIPPS.send(url, b"{}").status_code for _ in range(3)] == [200, 200, 503]
    read_all()
    assert VIPPS.send(url, b"{}").status_code == 200


def test_the_web_keeps_notices_without_any_private_key(chain: Chain, settings: Settings) -> None:
    url = registered(chain.units["BGO"]).url
    keys, settings.VAULT_PRIVATE_KEYS = settings.VAULT_PRIVATE_KEYS, ""
    assert VIPPS.send(url, body_of("100002", REFERENCE)).status_code == 200
    read_all()
    assert verdicts() == [""], "who cannot open the secret leaves the notice for somebody who can"
    settings.VAULT_PRIVATE_KEYS = keys
    read_all()
    assert verdicts() == ["genuine"]


def test_the_sweep_reads_what_no_message_told(chain: Chain) -> None:
    refund = unknown_refund(chain)
    VIPPS.send(registered(chain.units["BGO"]).url, body_of("100002", REFERENCE))
    assert sweep.sweep_once(by=hub("sweep")).notices == 1
    assert verdicts() == ["genuine"]
    before = refund.next_action_at
    refund.refresh_from_db()
    assert refund.next_action_at < before


def test_vipps_own_retry_after_is_kept(chain: Chain) -> None:
    order = chain.sold(chain.bergen, REFERENCE, 50_000)
    chain.simulator.arm(Fault(kind=FaultKind.THROTTLE, operation="refund"))
    refund = run(ask(order, 50_000, who=chain.kari, store=chain.oslo).refund)
    VIPPS.send(registered(chain.units["BGO"]).url, body_of("100002", REFERENCE))
    read_all()
    before = refund.next_action_at
    refund.refresh_from_db()
    assert (refund.state, refund.next_action_at) == (State.QUEUED, before)


@pytest.mark.parametrize("odd", ["", "x", "-1", "9" * 30, None, [1], {"id": 1}, "99999"])
def test_an_odd_message_does_nothing(chain: Chain, odd: object) -> None:
    tasks.read_notice(odd)
    assert not Notice.objects.exists()


def test_a_notice_is_kept_as_it_came(chain: Chain) -> None:
    registration = registered(chain.units["BGO"])
    VIPPS.send(registration.url, body_of("100002", REFERENCE))
    [notice] = Notice.objects.all()
    with pytest.raises(DatabaseError), transaction.atomic():
        Notice.objects.filter(pk=notice.pk).update(body=b"{}")
    with pytest.raises(DatabaseError), transaction.atomic():
        notice.delete()


def test_an_ended_address_goes_on_for_a_week(chain: Chain) -> None:
    registration = registered(chain.units["BGO"])
    registrations.end_registration(registration, reason="moved", by=hub("test"))
    VIPPS.send(registration.url, body_of("100002", REFERENCE))
    read_all()
    assert verdicts() == ["genuine"]
    long_ago = Notice.objects.get().received_at - timedelta(days=8)
    type(registration).objects.filter(pk=registration.pk).update(ended_at=long_ago)
    VIPPS.send(registration.url, body_of("100002", REFERENCE, psp_reference="psp-2"))
    read_all()
    assert verdicts() == ["genuine", "ended"]


def test_a_notice_before_the_secret_is_entered_waits_for_it(chain: Chain) -> None:
    opened = registrations.open_registration(chain.units["BGO"], base_url=BASE, by=chain.by)
    VIPPS.send(opened.url, body_of("100002", REFERENCE))
    read_all()
    assert verdicts() == [""]
    registrations.confirm_registration(opened, provider_id="vipps-1", secret=SECRET, by=chain.by)
    read_all()
    assert verdicts() == ["genuine"]
    assert SECRET.encode() not in b"".join(bytes(row.sealed) for row in Secret.objects.all())
    assert audit.verify().bad is None
