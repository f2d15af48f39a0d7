"""Circuit breakers: a silent host is left alone for a while, a sales unit that Vipps refuses until it is mended."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from refunds import breakers, progress
from refunds.gateway import Meaning, Outcome
from refunds.models import Breaker, Refund, State, WaitsFor
from refunds.sweep import sweep_once
from stores import access, clock, credentials
from stores.actors import hub
from stores.credentials import VippsKeys
from stores.errors import Conflict, Forbidden
from stores.models import Entry
from stores.vipps.simulator import Fault, FaultKind, Simulator, Switches
from tests.conftest import Chain
from tests.refunds.asking import ask, make_due, run
from tests.refunds.proving import posts, simulated


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with simulated(Switches(rate_limits=False)) as simulator:
        yield simulator


def refunds(chain: Chain, count: int) -> list[Refund]:
    orders = [chain.sold(chain.bergen, f"BGO-20261101-86{number:02}", 100_000) for number in range(count)]
    return [ask(order, 10_000, who=chain.kari, store=chain.oslo).refund for order in orders]


def break_host(chain: Chain) -> None:
    chain.simulator.arm(Fault(kind=FaultKind.ERROR_BEFORE, operation="get", times=None))


def events() -> list[str]:
    return list(Entry.objects.filter(event__startswith="breaker.").order_by("pk").values_list("event", flat=True))


def calls(chain: Chain) -> int:
    return sum(chain.simulator.calls.values())


@pytest.fixture
def broken(chain: Chain) -> list[Refund]:
    """Ten refunds in vain, and two more that wait."""
    found = refunds(chain, 12)
    break_host(chain)
    for refund in found[:10]:
        assert run(refund).state == State.QUEUED
    return found


def test_after_ten_failures_in_a_row_nobody_calls_the_host(chain: Chain, broken: list[Refund]) -> None:
    before = calls(chain)
    last = run(broken[10])
    assert (last.state, last.waits_for, last.fence) == (State.QUEUED, WaitsFor.HOST, 0)
    assert "cannot be reached" in str(progress.progress_of(last).explanation)
    assert calls(chain) == before
    assert events() == ["breaker.opened"]


def test_after_its_rest_one_tries_and_the_others_wait_for_it(chain: Chain, broken: list[Refund], travel: Any) -> None:
    run(broken[10])
    travel(timedelta(seconds=31))
    before = calls(chain)
    assert run(broken[0]).waits_for == ""
    assert calls(chain) == before + 1
    assert run(broken[1]).waits_for == WaitsFor.HOST
    assert Breaker.objects.filter(open_until__gt=clock.db_now() + timedelta(seconds=50)).exists()


def test_whoever_dies_while_it_tries_leaves_the_next_try_to_another(
    chain: Chain, broken: list[Refund], travel: Any
) -> None:
    run(broken[10])
    unit = chain.units["BGO"]
    travel(timedelta(seconds=31))
    assert breakers.is_shut_off(unit, by=hub("a worker that is killed now")) is None
    assert breakers.is_shut_off(unit, by=hub("worker")) is not None
    travel(breakers.SHORTEST_REST)
    assert breakers.is_shut_off(unit, by=hub("worker")) is None


def test_calls_that_were_on_their_way_when_it_opened_do_not_lengthen_its_rest(
    chain: Chain, broken: list[Refund], travel: Any
) -> None:
    silence = Outcome(meaning=Meaning.UNSURE)
    for _ in range(32):
        breakers.heed(chain.units["BGO"], silence, by=hub("worker"))
    opened = Breaker.objects.get()
    assert (opened.failures, opened.open_until) == (10, opened.changed_at + breakers.SHORTEST_REST)
    for rest in (60, 60):
        assert opened.open_until is not None
        travel(opened.open_until - clock.db_now() + timedelta(seconds=1))
        run(broken[0])
        opened.refresh_from_db()
        assert opened.open_until == opened.changed_at + timedelta(seconds=rest)
        make_due(broken[0])


def test_when_it_answers_again_all_go_on_at_once(chain: Chain, broken: list[Refund], travel: Any) -> None:
    run(broken[11])
    chain.simulator.disarm()
    travel(timedelta(seconds=31))
    assert run(broken[0]).state == State.REFUNDED
    breaker = Breaker.objects.get()
    assert (breaker.failures, breaker.opened_at, breaker.open_until) == (0, None, None)
    assert run(broken[11]).state == State.REFUNDED
    assert events() == ["breaker.opened", "breaker.closed"]


def test_a_good_answer_in_between_starts_the_count_anew(chain: Chain) -> None:
    found = refunds(chain, 11)
    for number, refund in enumerate(found):
        if number != 5:
            chain.simulator.arm(Fault(kind=FaultKind.ERROR_BEFORE, operation="get"))
        run(refund)
    assert (Breaker.objects.get().failures, events()) == (5, [])


def test_a_refusal_is_an_answer(chain: Chain) -> None:
    for refund in refunds(chain, 11):
        chain.simulator.arm(Fault(kind=FaultKind.REFUSE, operation="refund", code="6150"))
        assert run(refund).state == State.DECLINED
    assert not Breaker.objects.filter(failures__gt=0).exists()


def test_three_refusals_of_a_units_set_up_stop_that_unit_alone(chain: Chain) -> None:
    found = refunds(chain, 4)
    chain.simulator.arm(Fault(kind=FaultKind.FORBIDDEN, operation="get", msn="100002", times=None))
    assert [run(refund).state for refund in found[:3]] == [State.DECLINED] * 3
    last = run(found[3])
    assert (last.state, last.waits_for) == (State.QUEUED, WaitsFor.SALES_UNIT)
    assert str(Breaker.objects.get()) == str(chain.units["BGO"])
    other = ask(chain.sold(chain.trondheim, "TRD-20261101-1", 50_000), 10_000, who=chain.kari, store=chain.oslo).refund
    assert run(other).state == State.REFUNDED


@pytest.fixture
def refused(chain: Chain) -> Refund:
    """The fourth refund of a unit that Vipps has refused three times."""
    *first, fourth = refunds(chain, 4)
    chain.simulator.arm(Fault(kind=FaultKind.FORBIDDEN, operation="get", times=None))
    for refund in first:
        run(refund)
    chain.simulator.disarm()
    return run(fourth)


def test_no_time_alone_reopens_a_unit_for_a_refund_would_be_declined(chain: Chain, refused: Refund, travel: Any) -> None:
    travel(timedelta(hours=3))
    make_due(refused)
    assert run(refused).waits_for == WaitsFor.SALES_UNIT


def test_new_keys_let_the_unit_go_on(chain: Chain, refused: Refund) -> None:
    unit = chain.units["BGO"]
    assert unit.key_set is not None
    keys = chain.simulator.merchants.units[unit.msn].keys
    opened = VippsKeys(client_id=keys.client_id, client_secret=keys.client_secret, subscription_key=keys.subscription_key)
    credentials.enter_keys(unit.key_set, opened, by=chain.by)
    make_due(refused)
    assert run(refused).state == State.REFUNDED


def test_headquarters_lets_it_go_on_and_nobody_else(chain: Chain, refused: Refund) -> None:
    breaker = Breaker.objects.get()
    with pytest.raises(Forbidden):
        breakers.close_by_hand(breaker, asker=chain.mona, by=access.actor_for(chain.mona))
    breakers.close_by_hand(breaker, asker=chain.hanne, by=access.actor_for(chain.hanne))
    with pytest.raises(Conflict):
        breakers.close_by_hand(breaker, asker=chain.hanne, by=access.actor_for(chain.hanne))
    assert run(refused).state == State.REFUNDED
    assert events() == ["breaker.opened", "breaker.closed"]


def test_after_a_day_a_refund_of_a_refused_unit_is_given_to_people(chain: Chain, refused: Refund, travel: Any) -> None:
    travel(timedelta(hours=25))
    sweep_once(by=hub("sweep"))
    refused.refresh_from_db()
    assert (refused.state, posts(chain)) == (State.REVIEW, [])


def test_an_unknown_payment_says_nothing_of_the_unit(chain: Chain) -> None:
    for refund in refunds(chain, 4):
        chain.simulator.arm(Fault(kind=FaultKind.REFUSE, operation="get", status=404, code="4040"))
        run(refund)
    assert not Breaker.objects.filter(sales_unit__isnull=False, opened_at__isnull=False).exists()
