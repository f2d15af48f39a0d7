"""The brake: what is paused is neither accepted nor sent, what waited goes on afterwards, and the trail says who did it."""

from datetime import timedelta
from typing import Any

import pytest

from refunds import pausing, progress
from refunds.errors import Denied
from refunds.models import Pause, PauseScope, Refund, State, WaitsFor
from refunds.pausing import Reach
from refunds.sweep import sweep_once
from stores import access, audit, clock
from stores.actors import hub
from stores.errors import Conflict, Forbidden, Invalid
from stores.models import Company, Order, SalesUnit
from tests.conftest import Chain
from tests.refunds.asking import ask, make_due, run
from tests.refunds.proving import posts


@pytest.fixture
def order(chain: Chain) -> Order:
    return chain.sold(chain.bergen, "BGO-20261101-8500", 100_000)


@pytest.fixture
def refund(chain: Chain, order: Order) -> Refund:
    return ask(order, 10_000, who=chain.kari, store=chain.oslo).refund


def stop(chain: Chain, reach: Reach = Reach(), reason: str = "Vipps is ill") -> Pause:  # noqa: B008  # frozen
    return pausing.pause(chain.company, reach, reason=reason, asker=chain.hanne, by=access.actor_for(chain.hanne))


def go_on(chain: Chain, pause: Pause) -> Pause:
    return pausing.resume(pause, reason="mended", asker=chain.hanne, by=access.actor_for(chain.hanne))


def reaches(chain: Chain) -> dict[PauseScope, Reach]:
    return {
        PauseScope.EVERYTHING: Reach(),
        PauseScope.SALES_UNIT: Reach(sales_unit=chain.units["BGO"]),
        PauseScope.STORE: Reach(store=chain.oslo),
        PauseScope.CASHIER: Reach(cashier=chain.kari),
    }


@pytest.mark.parametrize("scope", PauseScope)
def test_what_is_paused_waits_and_then_goes_on(chain: Chain, refund: Refund, scope: PauseScope) -> None:
    pause = stop(chain, reaches(chain)[scope])
    assert (pause.scope, run(refund).state, refund.waits_for) == (scope, State.QUEUED, WaitsFor.PAUSE)
    assert "Headquarters has paused" in str(progress.progress_of(refund).explanation)
    assert posts(chain) == []
    assert refund.next_action_at > clock.db_now()
    go_on(chain, pause)
    assert run(refund).state == State.REFUNDED
    assert refund.waits_for == ""


def test_a_pause_of_the_selling_store_stops_its_sales_everywhere(chain: Chain, refund: Refund) -> None:
    stop(chain, Reach(store=chain.bergen))
    assert run(refund).state == State.QUEUED


@pytest.mark.parametrize("scope", PauseScope)
def test_nothing_new_is_accepted_while_it_is_paused(chain: Chain, order: Order, scope: PauseScope) -> None:
    stop(chain, reaches(chain)[scope])
    with pytest.raises(Denied) as refused:
        ask(order, 10_000, who=chain.kari, store=chain.oslo)
    assert refused.value.code == "paused"
    assert not Refund.objects.exists()


def test_others_are_not_stopped(chain: Chain, refund: Refund) -> None:
    stop(chain, Reach(sales_unit=chain.units["TRD"]))
    stop(chain, Reach(store=chain.trondheim))
    stop(chain, Reach(cashier=chain.mona))
    assert run(refund).state == State.REFUNDED


def test_another_chains_pause_stops_nothing_here(chain: Chain, refund: Refund) -> None:
    other = Company.objects.create(name="Sørlys")
    Pause.objects.create(company=other, scope=PauseScope.EVERYTHING, reason="theirs", paused_by="somebody")
    assert run(refund).state == State.REFUNDED


def test_a_day_of_pause_gives_nothing_to_people(chain: Chain, refund: Refund, travel: Any) -> None:
    stop(chain)
    run(refund)
    travel(timedelta(hours=30))
    sweep_once(by=hub("sweep"))
    refund.refresh_from_db()
    assert refund.state == State.QUEUED


def test_only_headquarters_pulls_the_brake(chain: Chain) -> None:
    for who in (chain.kari, chain.mona, chain.per):
        with pytest.raises(Forbidden):
            pausing.pause(chain.company, Reach(), reason="why not", asker=who, by=access.actor_for(who))
    assert not Pause.objects.exists()


@pytest.mark.parametrize("reason", ["", "   ", "x" * 201])
def test_a_pause_needs_its_reason(chain: Chain, reason: str) -> None:
    with pytest.raises(Invalid):
        stop(chain, reason=reason)
    assert not Pause.objects.exists()


def test_a_pause_names_one_thing_of_ones_own_chain(chain: Chain) -> None:
    other = Company.objects.create(name="Sørlys")
    foreign = SalesUnit.objects.create(
        company=other, msn="900001", name="X", market="NO", currency="NOK", environment="simulator"
    )
    for reach in (Reach(store=chain.oslo, cashier=chain.kari), Reach(sales_unit=foreign)):
        with pytest.raises(Invalid):
            stop(chain, reach)
    assert not Pause.objects.exists()


@pytest.mark.parametrize("scope", PauseScope)
def test_what_is_paused_is_not_paused_again_nor_resumed_twice(chain: Chain, scope: PauseScope) -> None:
    pause = stop(chain, reaches(chain)[scope])
    with pytest.raises(Conflict):
        stop(chain, reaches(chain)[scope])
    go_on(chain, pause)
    with pytest.raises(Conflict):
        go_on(chain, pause)
    assert stop(chain, reaches(chain)[scope]).pk != pause.pk


def test_the_trail_tells_of_both(chain: Chain) -> None:
    pause = go_on(chain, stop(chain, Reach(store=chain.oslo), "inspection"))
    told = [(entry.event, entry.actor_name) for entry in audit.timeline_of("pause", str(pause.pk))]
    assert sorted(told) == [("refunds.paused", "Hanne"), ("refunds.resumed", "Hanne")]
    assert (pause.paused_by, pause.resumed_by) == ("Hanne", "Hanne")


def test_a_pause_that_comes_while_it_is_found_out_waits_too(chain: Chain, refund: Refund) -> None:
    Refund.objects.filter(pk=refund.pk).update(state=State.UNKNOWN)
    pause = stop(chain)
    assert (run(refund).state, refund.waits_for) == (State.UNKNOWN, WaitsFor.PAUSE)
    go_on(chain, pause)
    make_due(refund)
    assert run(refund).state == State.REFUNDED
