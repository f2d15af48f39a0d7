"""A worker with another vault's key: it says so, parks the work and loses nothing; with the right key all of it ends."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pytest_django import Settings

from refunds import doorbell, outbound, sweep, tasks
from refunds.models import Delivery, Refund, State
from stores import audit, clock, nudge, sessions, vault
from stores.actors import hub
from stores.models import Entry, Notice
from stores.vipps.simulator import FaultKind
from tests.conftest import Chain
from tests.refunds.asking import ask, make_due, run
from tests.refunds.desk_pages import signed_in, text_of
from tests.refunds.listening import Listener, listening
from tests.refunds.proving import lose
from tests.refunds.real_processes import SWEEP, environment_of, over_http, started, until
from tests.refunds.sweeping import moved_by_hand
from tests.vipps_notices import VIPPS, body_of, registered

REFERENCE = "BGO-20261101-9301"


def another_key(right: str, *, of_the_same_name: bool = False) -> str:
    """A private key that opens nothing here; under its own name, or under the right one's."""
    _public, private = vault.new_key_pair()
    return f"{right.partition(':')[0]}:{private.partition(':')[2]}" if of_the_same_name else private


@pytest.fixture(autouse=True)
def _nobody_takes_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nudge, "publish", lambda _task, _row_id: True)
    monkeypatch.setattr(tasks, "close_old_connections", lambda: None)


@pytest.fixture(params=[False, True], ids=["another name", "the same name"])
def right(request: pytest.FixtureRequest, chain: Chain, settings: Settings) -> str:
    """The right private key; the process has another one."""
    kept = settings.VAULT_PRIVATE_KEYS
    assert isinstance(kept, str)
    settings.VAULT_PRIVATE_KEYS = another_key(kept, of_the_same_name=request.param)
    sessions.forget_all()
    return kept


def asked(chain: Chain) -> Refund:
    order = chain.sold(chain.bergen, REFERENCE, 50_000)
    return ask(order, 20_000, who=chain.kari, store=chain.oslo).refund


def sends(chain: Chain) -> int:
    return len(chain.simulator.log(operation="refund"))


def test_it_says_so_and_sends_nothing(chain: Chain, right: str, caplog: pytest.LogCaptureFixture) -> None:
    refund = asked(chain)
    with caplog.at_level(logging.ERROR):
        run(refund)
    assert (refund.state, refund.outcome, refund.sends) == (State.QUEUED, "keys_unreadable", 0)
    assert refund.next_action_at > clock.db_now() - timedelta(seconds=1)
    [entry] = Entry.objects.filter(event="keys.not_opened")
    assert "could not be opened" in audit.sentence_of(entry)
    assert "could not be opened" in caplog.text
    assert right.partition(":")[2] not in caplog.text
    assert chain.simulator.calls.total() == 0


def test_the_cashier_sees_that_the_keys_do_not_work(chain: Chain, right: str) -> None:
    refund = run(asked(chain))
    page = text_of(signed_in(chain.kari).get(f"/desk/refunds/{refund.pk}/"))
    assert "Vipps keys do not work now" in page
    assert "Accepted" in page


def test_it_is_tried_later_and_later_and_the_money_stays_set_aside(chain: Chain, right: str) -> None:
    refund = asked(chain)
    with moved_by_hand() as time:
        waits = []
        for _ in range(9):
            run(refund)
            waits.append(round((refund.next_action_at - time.now).total_seconds()))
            time.now = refund.next_action_at
    assert waits == [1, 2, 5, 10, 30, 60, 120, 300, 900]
    assert refund.order.account.reserved_minor == 20_000
    assert refund.state == State.QUEUED


def test_with_the_right_key_it_ends(chain: Chain, right: str, settings: Settings) -> None:
    refund = run(asked(chain))
    settings.VAULT_PRIVATE_KEYS = right
    make_due(refund)
    assert run(refund).state == State.REFUNDED
    assert sends(chain) == 1
    assert audit.verify().bad is None


def test_after_a_day_without_the_right_key_people_look_at_it(chain: Chain, right: str) -> None:
    refund = asked(chain)
    with moved_by_hand() as time:
        run(refund)
        time.move(hours=49)
        sweep.sweep_once(by=hub("sweep"))
    refund.refresh_from_db()
    assert (refund.state, refund.sends) == (State.REVIEW, 0)
    assert sends(chain) == 0


def test_a_refund_whose_outcome_is_open_stays_open(chain: Chain, settings: Settings) -> None:
    """It was sent before the keys were lost: nobody may take it for never sent."""
    refund = asked(chain)
    with moved_by_hand():
        lose(chain, FaultKind.DROP_AFTER)
        assert run(refund).state == State.UNKNOWN
        kept, settings.VAULT_PRIVATE_KEYS = settings.VAULT_PRIVATE_KEYS, another_key(settings.VAULT_PRIVATE_KEYS)
        sessions.forget_all()
        make_due(refund)
        assert run(refund).state == State.UNKNOWN
        assert refund.outcome == "keys_unreadable"
        settings.VAULT_PRIVATE_KEYS = kept
        make_due(refund)
        assert run(refund).state == State.REFUNDED
    assert sends(chain) == 1


def test_notices_wait_for_as_long_as_vipps_would_repeat_them(chain: Chain, right: str, settings: Settings) -> None:
    url = registered(chain.units["BGO"]).url
    VIPPS.send(url, body_of("100002", REFERENCE))
    [notice] = Notice.objects.all()
    with moved_by_hand() as time:
        for days in (0, 1, 5):
            time.move(days=days)
            doorbell.answer(notice.pk)
            notice.refresh_from_db()
            assert notice.verdict == ""
        settings.VAULT_PRIVATE_KEYS = right
        doorbell.answer(notice.pk)
    notice.refresh_from_db()
    assert notice.verdict == "genuine"


def test_notices_that_nobody_can_ever_read_are_put_away(chain: Chain, right: str) -> None:
    VIPPS.send(registered(chain.units["BGO"]).url, body_of("100002", REFERENCE))
    [notice] = Notice.objects.all()
    with moved_by_hand() as time:
        time.move(days=8)
        doorbell.answer(notice.pk)
    notice.refresh_from_db()
    assert notice.verdict == "unreadable"


@pytest.fixture
def till(chain: Chain, settings: Settings) -> Iterator[Listener]:
    """Oslo's till, which listens."""
    settings.DEMO = True
    with listening() as listener:
        outbound.add_endpoint(chain.systems["OSL"], url=listener.url, by=chain.by)
        yield listener


def test_messages_to_store_systems_wait_unsigned_and_lose_no_try(chain: Chain, till: Listener, settings: Settings) -> None:
    refund = run(asked(chain))
    assert refund.state == State.REFUNDED
    [delivery] = Delivery.objects.all()
    kept, settings.VAULT_PRIVATE_KEYS = settings.VAULT_PRIVATE_KEYS, another_key(settings.VAULT_PRIVATE_KEYS)
    tasks.deliver(str(delivery.pk))
    delivery.refresh_from_db()
    assert (delivery.tries, delivery.problem, till.got) == (0, "keys_unreadable", [])
    assert delivery.next_try_at is not None
    settings.VAULT_PRIVATE_KEYS = kept
    Delivery.objects.update(next_try_at=delivery.written_at)
    tasks.deliver(str(delivery.pk))
    delivery.refresh_from_db()
    assert delivery.delivered_at is not None
    assert len(till.got) == 1


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
def test_a_real_process_with_another_key_parks_and_one_with_the_right_key_ends_it(chain: Chain, tmp_path: Path) -> None:
    refund = asked(chain)
    _public, wrong = vault.new_key_pair()
    with over_http(chain.simulator) as url:
        environment = environment_of("sweep", simulator_url=url, folder=tmp_path, REDIS_URL="redis://127.0.0.1:1/0")
        with started(SWEEP, environment={**environment, "VAULT_PRIVATE_KEYS": wrong}, folder=tmp_path, ready="sweep") as other:
            until(lambda: Entry.objects.filter(event="keys.not_opened").exists(), within=60)
            until(lambda: state_and_outcome(refund) == (State.QUEUED, "keys_unreadable"), within=30)
            assert other.is_alive
            assert "could not be opened" in other.said
            assert wrong.partition(":")[2] not in other.said
        assert chain.simulator.calls.total() == 0
        make_due(refund)
        with started(SWEEP, environment=environment, folder=tmp_path, ready="sweep"):
            until(lambda: state_and_outcome(refund)[0] == State.REFUNDED, within=60)
    assert sends(chain) == 1


def state_and_outcome(refund: Refund) -> tuple[str, str]:
    refund.refresh_from_db()
    return refund.state, refund.outcome
