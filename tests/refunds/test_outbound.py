"""Store systems are told: with the change itself, signed, at least once, and visibly where it does not arrive."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from pytest_django import Settings

from refunds import intake, outbound, release_moves, states, sweep, tasks
from refunds.models import Delivery, EventType, Refund, State, WebhookEndpoint
from refunds.outbound.delivering import WAITS
from stores import access, audit, clock, keys, nudge, signing
from stores.actors import hub
from stores.api.ids import shown_id
from stores.errors import Conflict, Forbidden
from stores.models import Entry, Store
from stores.money import Money
from stores.vipps.simulator import Fault, FaultKind
from tests.conftest import Chain
from tests.refunds.asking import ask, make_due, run
from tests.refunds.listening import Listener, listening

REFERENCE = "BGO-20261101-9901"

pytestmark = pytest.mark.usefixtures("rung", "one_connection")


@dataclass(frozen=True, kw_only=True)
class Heard:
    """A store system with a server of its own, and the secret it was shown."""

    endpoint: WebhookEndpoint
    secret: str
    listener: Listener


@pytest.fixture(autouse=True)
def _a_store_system_may_listen_on_this_machine(settings: Settings) -> None:
    settings.DEMO = True


def heard_by(chain: Chain, store: Store, listener: Listener) -> Heard:
    added = outbound.add_endpoint(chain.systems[store.code], url=listener.url, by=chain.by)
    assert added.secret is not None
    return Heard(endpoint=added.endpoint, secret=added.secret.text, listener=listener)


@pytest.fixture
def oslo(chain: Chain) -> Iterator[Heard]:
    with listening() as listener:
        yield heard_by(chain, chain.oslo, listener)


def refunded(chain: Chain) -> Refund:
    order = chain.sold(chain.bergen, REFERENCE, 50_000)
    refund = run(ask(order, 20_000, who=chain.kari, store=chain.oslo).refund)
    assert refund.state == State.REFUNDED
    return refund


def deliver_all() -> None:
    for delivery_id in Delivery.objects.order_by("version").values_list("pk", flat=True):
        tasks.deliver(str(delivery_id))


def wait_over(delivery: Delivery) -> None:
    Delivery.objects.filter(pk=delivery.pk).update(next_try_at=delivery.written_at)


@pytest.mark.django_db(transaction=True)
def test_a_worker_is_rung_for_once_the_change_is_kept(chain: Chain, oslo: Heard, rung: list[tuple[str, str]]) -> None:
    refunded(chain)
    [delivery] = Delivery.objects.all()
    assert rung[-1] == ("refunds.deliver", str(delivery.pk))


def test_the_refunding_stores_system_hears_that_it_is_refunded(chain: Chain, oslo: Heard) -> None:
    refund = refunded(chain)
    deliver_all()
    [message] = oslo.listener.verified(oslo.secret)
    [(headers, body)] = oslo.listener.got
    [delivery] = Delivery.objects.all()
    assert (delivery.event, delivery.tries, delivery.last_status, delivery.next_try_at) == ("refund.refunded", 1, 204, None)
    assert delivery.delivered_at is not None
    assert headers["webhook-id"] == f"msg_{delivery.pk.hex}"
    assert headers["host"] == f"127.0.0.1:{oslo.listener.port}"
    assert body.decode() == delivery.body
    assert message["type"] == "refund.refunded"
    order = refund.order
    assert message["data"] == {
        "id": shown_id("ref", refund.pk),
        "kind": "refund",
        "version": Entry.objects.filter(subject_type="refund", subject_id=str(refund.pk)).count(),
        "state": "refunded",
        "outcome": "refunded",
        "order_id": shown_id("ord", order.public_id),
        "reference": REFERENCE,
        "number": 1,
        "amount": {"amount_minor": 20_000, "currency": "NOK"},
        "origin_store": "BGO",
        "refunding_store": "OSL",
        "request_key": None,
    }
    assert "Kari" not in delivery.body


def test_the_store_that_sold_hears_of_it_too_and_nobody_else(chain: Chain, oslo: Heard) -> None:
    with listening() as in_bergen, listening() as in_bodo:
        bergen = heard_by(chain, chain.bergen, in_bergen)
        heard_by(chain, chain.bodo, in_bodo)
        refunded(chain)
        deliver_all()
        assert [message["data"]["origin_store"] for message in in_bergen.verified(bergen.secret)] == ["BGO"]
        assert len(oslo.listener.got) == 1
        assert in_bodo.got == []


def test_a_lost_answer_is_told_once_and_then_its_end_under_a_higher_version(chain: Chain, oslo: Heard) -> None:
    order = chain.sold(chain.bergen, REFERENCE, 50_000)
    chain.simulator.arm(Fault(kind=FaultKind.DROP_BEFORE, operation="refund", times=2))
    refund = run(ask(order, 50_000, who=chain.kari, store=chain.oslo).refund)
    make_due(refund)
    assert run(refund).state == State.UNKNOWN
    make_due(refund)
    assert run(refund).state == State.REFUNDED
    deliver_all()
    told = [message["data"] for message in oslo.listener.verified(oslo.secret)]
    assert [data["state"] for data in told] == ["unknown", "refunded"]
    assert told[0]["version"] < told[1]["version"]


def test_a_change_that_is_rolled_back_is_told_to_nobody(chain: Chain, oslo: Heard) -> None:
    order = chain.sold(chain.bergen, REFERENCE, 50_000)
    refund = ask(order, 20_000, who=chain.kari, store=chain.oslo).refund

    def cancel_and_fail() -> None:
        with transaction.atomic():
            assert states.move(refund, states.T3_CANCEL, by=chain.by, because="withdrawn", outcome="withdrawn")
            assert Delivery.objects.count() == 1
            raise ConnectionError

    with pytest.raises(ConnectionError):
        cancel_and_fail()
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("status", [301, 302, 400, 404, 410, 429, 500, 503])
def test_anything_but_success_is_tried_again_later(chain: Chain, oslo: Heard, status: int) -> None:
    oslo.listener.status = status
    oslo.listener.headers = {"Location": f"http://127.0.0.1:{oslo.listener.port}/elsewhere"}
    refunded(chain)
    deliver_all()
    [delivery] = Delivery.objects.all()
    assert (delivery.tries, delivery.last_status, delivery.problem) == (1, status, f"HTTP {status}")
    assert len(oslo.listener.got) == 1, "a redirect is not followed"
    assert delivery.next_try_at is not None
    wait = delivery.next_try_at - clock.db_now()
    assert WAITS[0] - timedelta(seconds=20) < wait <= WAITS[0]
    deliver_all()
    assert len(oslo.listener.got) == 1, "it waits"


def test_it_is_the_same_message_at_every_try_until_it_is_given_up_and_seen(chain: Chain, oslo: Heard) -> None:
    oslo.listener.status = 500
    refunded(chain)
    [delivery] = Delivery.objects.all()
    for _ in range(len(WAITS) + 1):
        wait_over(delivery)
        deliver_all()
    delivery.refresh_from_db()
    assert (delivery.tries, delivery.next_try_at, delivery.has_failed) == (len(WAITS) + 1, None, True)
    assert len({headers["webhook-id"] for headers, _ in oslo.listener.got}) == 1
    assert len({body for _, body in oslo.listener.got}) == 1
    oslo.listener.status = 200
    outbound.send_again(delivery, by=chain.by)
    deliver_all()
    delivery.refresh_from_db()
    assert delivery.delivered_at is not None
    assert delivery.has_failed is False
    with pytest.raises(Conflict):
        outbound.send_again(delivery, by=chain.by)
    assert audit.verify().bad is None


def test_nobody_at_home_is_tried_again_and_names_no_address(chain: Chain, oslo: Heard) -> None:
    with listening() as gone:
        heard_by(chain, chain.bergen, gone)
    refunded(chain)
    deliver_all()
    failed = Delivery.objects.get(delivered_at=None)
    assert (failed.last_status, failed.problem) == (None, "no answer: ConnectionError")
    assert failed.next_try_at is not None


def test_the_sweep_rings_for_what_no_message_told(chain: Chain, oslo: Heard, rung: list[tuple[str, str]]) -> None:
    refunded(chain)
    [delivery] = Delivery.objects.all()
    rung.clear()
    assert sweep.sweep_once(by=hub("sweep")).deliveries == 1
    assert rung == [("refunds.deliver", str(delivery.pk))]
    assert sweep.sweep_once(by=hub("sweep")).deliveries == 0, "it was rung for a moment ago"
    assert oslo.listener.got == []


def test_the_sweep_sends_itself_where_the_broker_takes_nothing(
    chain: Chain, oslo: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    refunded(chain)
    monkeypatch.setattr(nudge, "publish", lambda _task, _row_id: False)
    sweep.sweep_once(by=hub("sweep"))
    assert [message["type"] for message in oslo.listener.verified(oslo.secret)] == ["refund.refunded"]


def test_without_the_private_key_it_waits_and_no_try_is_used_up(chain: Chain, oslo: Heard, settings: Settings) -> None:
    refunded(chain)
    settings.VAULT_PRIVATE_KEYS = ""
    deliver_all()
    [delivery] = Delivery.objects.all()
    assert (delivery.tries, delivery.problem) == (0, "keys_unreadable")
    assert delivery.next_try_at is not None
    assert oslo.listener.got == []


def test_a_switched_off_address_hears_nothing_more(chain: Chain, oslo: Heard) -> None:
    refund = refunded(chain)
    outbound.end_endpoint(oslo.endpoint, reason="moved", by=chain.by)
    deliver_all()
    assert oslo.listener.got == []
    assert Delivery.objects.get().has_failed
    run(ask(refund.order, 5_000, who=chain.kari, store=chain.oslo).refund)
    assert Delivery.objects.count() == 1
    with pytest.raises(Conflict):
        outbound.end_endpoint(oslo.endpoint, reason="again", by=chain.by)


def test_only_the_asking_system_is_given_its_own_key(chain: Chain, oslo: Heard) -> None:
    order = chain.sold(chain.bergen, REFERENCE, 50_000)
    system = chain.systems["OSL"]
    by = access.actor_for(system)
    with listening() as listener:
        heard_by(chain, chain.bergen, listener)
        run(_asked_by(chain, order.public_id))
        deliver_all()
        keys_told = {
            str(delivery.endpoint.system): '"request_key":"till-7"' in delivery.body
            for delivery in Delivery.objects.select_related("endpoint__system__store")
        }
    assert keys_told == {str(system): True, str(chain.systems["BGO"]): False}
    assert by.store_id == chain.oslo.pk


def _asked_by(chain: Chain, order_id: uuid.UUID) -> Refund:
    system = chain.systems["OSL"]
    return intake.request_refund(
        order_id,
        Money(amount_minor=1_000, currency="NOK"),
        reason="returned",
        refunding_store=chain.oslo,
        client_id=str(system.public_id),
        request_key="till-7",
        asker=system,
        by=access.actor_for(system),
    ).refund


def test_who_may_not_read_refunds_may_not_listen(chain: Chain) -> None:
    system = keys.add_system(chain.oslo, name="Orders only", scopes=["orders:write"], by=chain.by)
    with pytest.raises(Forbidden):
        outbound.add_endpoint(system, url="https://till.example/hook", by=chain.by)
    assert not WebhookEndpoint.objects.exists()
    assert not signing.has_secret(system)


def test_a_second_address_keeps_the_secret_and_the_same_one_is_refused(chain: Chain, oslo: Heard) -> None:
    system = chain.systems["OSL"]
    second = outbound.add_endpoint(system, url="https://till.example/hook", by=chain.by)
    assert second.secret is None
    with pytest.raises(Conflict) as refusal:
        outbound.add_endpoint(system, url="https://till.example/hook", by=chain.by)
    assert refusal.value.code == "already_there"
    assert WebhookEndpoint.objects.filter(system=system).count() == 2


def test_a_message_is_kept_as_it_was_written(chain: Chain, oslo: Heard) -> None:
    refunded(chain)
    with pytest.raises(DatabaseError), transaction.atomic():
        Delivery.objects.update(body="{}")
    with pytest.raises(DatabaseError), transaction.atomic():
        Delivery.objects.all().delete()


@pytest.mark.parametrize("odd", ["", "x", None, 7, [1], {"id": 1}, str(uuid.UUID(int=0))])
def test_an_odd_message_does_nothing(chain: Chain, odd: object) -> None:
    tasks.deliver(odd)
    assert not Delivery.objects.exists()


def test_every_state_a_store_must_hear_of_has_its_event() -> None:
    told = {move.after for move in (*states.MOVES, *release_moves.RELEASE_MOVES)} - {State.QUEUED, State.SENDING}
    assert {EventType(f"refund.{state.value}") for state in told} == set(EventType)
