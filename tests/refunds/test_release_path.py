"""What is only reserved is released, once, and the order has nothing left; whatever goes wrong on the way."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_django import Settings

from refunds import approving, gateway, queries
from refunds.errors import Denied, KeyReused, NotWaiting
from refunds.models import Attempt, Refund, State
from refunds.progress import progress_of
from stores import access, audit, clock
from stores.models import Order
from stores.vipps.session import VippsSession
from stores.vipps.simulator import Fault, FaultKind
from tests.conftest import Chain
from tests.refunds.asking import ask, make_due, run
from tests.refunds.releases import BERGEN, ask_release, cancels, no_money_moved, releases_of, reserved, sums


def lose(chain: Chain, kind: FaultKind = FaultKind.DROP_AFTER, **more: Any) -> None:
    chain.simulator.arm(Fault(kind=kind, operation="cancel", **more))


def again(release: Refund) -> Refund:
    make_due(release)
    return run(release)


def later(release: Refund, **much: float) -> Refund:
    moment = datetime.now(UTC) + timedelta(**much)
    with clock.bound(clock.Source(now=lambda: moment)):
        return again(release)


def test_a_reservation_is_released_whole_with_the_keys_of_the_store_that_sold_it(chain: Chain) -> None:
    order = reserved(chain)
    release = ask_release(order, who=chain.kari, store=chain.oslo).refund
    assert (release.kind, release.state, release.amount_minor, release.shown_minor) == ("release", "queued", 0, 50_000)
    run(release)
    assert (release.state, release.outcome) == (State.RELEASED, "released")
    assert sums(chain, order) == (50_000, 0, 50_000)
    [attempt] = Attempt.objects.filter(refund=release)
    assert (attempt.amount_minor, attempt.msn, attempt.fence) == (50_000, BERGEN, 1)
    assert cancels(chain) == [(attempt.provider_key, True)]
    assert no_money_moved(order)
    assert audit.verify().bad is None


def test_after_a_release_the_order_has_nothing_left(chain: Chain) -> None:
    order = reserved(chain)
    run(ask_release(order, who=chain.kari, store=chain.oslo).refund)
    order.refresh_from_db()
    left = queries.left_of(order)
    assert (left.left_minor, left.releasable_minor, left.is_released) == (0, 0, True)
    with pytest.raises(Denied) as caught:
        ask(order, 1_000, who=chain.kari, store=chain.oslo)
    assert caught.value.code == "released"
    with pytest.raises(Denied) as caught:
        ask_release(order, who=chain.kari, store=chain.oslo)
    assert caught.value.code == "released"


def test_the_whole_life_of_a_release_is_in_the_trail_under_its_own_names(chain: Chain) -> None:
    release = run(ask_release(reserved(chain), who=chain.kari, store=chain.oslo).refund)
    timeline = audit.timeline_of("refund", str(release.pk))
    told = [audit.facts_of(entry).get("move", entry.event) for entry in timeline]
    assert told == ["release.accepted", "R5", "refund.intended", "R7"]
    assert [entry.event for entry in timeline if "move" in audit.facts_of(entry)] == ["release.moved"] * 2


def test_an_order_that_only_a_store_claims_is_not_released_until_vipps_has_shown_it_reserved(chain: Chain) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-8802", 50_000, captured=False)
    with pytest.raises(Denied) as caught:
        ask_release(order, who=chain.kari, store=chain.oslo)
    assert caught.value.code == "not_reserved"
    refund = run(ask(order, 50_000, who=chain.kari, store=chain.oslo).refund)
    assert (refund.state, refund.outcome) == (State.DECLINED, "not_captured")
    assert "release it from the order's page" in str(progress_of(refund).explanation)
    order.refresh_from_db()
    assert queries.left_of(order).releasable_minor == 50_000
    assert run(ask_release(order, who=chain.kari, store=chain.oslo).refund).state == State.RELEASED


def test_what_was_taken_cannot_be_released(chain: Chain) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-8803", 50_000)
    run(ask(order, 1_000, who=chain.kari, store=chain.oslo).refund)
    order.refresh_from_db()
    with pytest.raises(Denied) as caught:
        ask_release(order, who=chain.kari, store=chain.oslo)
    assert caught.value.code == "captured"
    assert cancels(chain) == []


def test_a_second_click_releases_once(chain: Chain) -> None:
    order = reserved(chain)
    first = ask_release(order, who=chain.kari, store=chain.oslo, key="one-page")
    second = ask_release(order, who=chain.kari, store=chain.oslo, key="one-page")
    assert (first.is_new, second.is_new, first.refund.pk == second.refund.pk) == (True, False, True)
    run(first.refund)
    run(second.refund)
    assert ask_release(order, who=chain.kari, store=chain.oslo, key="one-page").refund.state == State.RELEASED
    assert len(cancels(chain)) == 1


def test_the_key_of_a_refund_is_not_a_releases(chain: Chain) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-8804", 50_000, captured=False)
    run(ask(order, 1_000, who=chain.kari, store=chain.oslo, key="one-page").refund)
    with pytest.raises(KeyReused):
        ask_release(order, who=chain.kari, store=chain.oslo, key="one-page")
    assert releases_of(order) == []


def test_a_lost_answer_is_unknown_and_then_proved_by_what_vipps_shows(chain: Chain) -> None:
    order = reserved(chain)
    lose(chain)
    release = run(ask_release(order, who=chain.kari, store=chain.oslo).refund)
    assert release.state == State.UNKNOWN
    assert "Do not repeat it" in str(progress_of(release).explanation)
    assert again(release).state == State.RELEASED
    assert [applied for _, applied in cancels(chain)] == [True]


def test_a_lost_request_goes_out_again_under_the_same_key(chain: Chain) -> None:
    order = reserved(chain)
    lose(chain, FaultKind.DROP_BEFORE)
    release = run(ask_release(order, who=chain.kari, store=chain.oslo).refund)
    assert release.state == State.UNKNOWN
    assert again(release).state == State.RELEASED
    keys = list(Attempt.objects.filter(refund=release).values_list("provider_key", flat=True))
    assert (len(keys), len(set(keys))) == (2, 1)
    assert sums(chain, order) == (50_000, 0, 50_000)


@pytest.mark.parametrize("kind", [FaultKind.ERROR_AFTER, FaultKind.MALFORMED, FaultKind.HUGE])
def test_an_odd_answer_after_applying_is_looked_into(chain: Chain, kind: FaultKind) -> None:
    lose(chain, kind)
    release = run(ask_release(reserved(chain), who=chain.kari, store=chain.oslo).refund)
    assert release.state == State.UNKNOWN
    assert again(release).state == State.RELEASED
    assert len(cancels(chain)) == 1


@pytest.mark.parametrize("kind", [FaultKind.LOCK, FaultKind.THROTTLE])
def test_a_busy_payment_waits_and_keeps_its_key(chain: Chain, kind: FaultKind) -> None:
    lose(chain, kind)
    release = run(ask_release(reserved(chain), who=chain.kari, store=chain.oslo).refund)
    assert (release.state, release.indeterminate_since) == (State.QUEUED, None)
    assert again(release).state == State.RELEASED
    assert release.generation == 0


def test_a_customer_who_is_paying_this_moment_is_waited_for(chain: Chain) -> None:
    lose(chain, FaultKind.REFUSE, code="6250")
    release = run(ask_release(reserved(chain), who=chain.kari, store=chain.oslo).refund)
    assert (release.state, release.outcome, release.soft_refusals) == (State.QUEUED, "vipps_6250", 1)


# how Vipps refuses: where the release stands then, and after the quiet time if nothing shows up
REFUSALS = [
    ("6030", State.DECLINED, "vipps_6030"),
    ("6060", State.DECLINED, "vipps_6060"),
    ("5090", State.DECLINED, "vipps_5090"),
    ("6040", State.UNKNOWN, "vipps_6040"),
    ("6050", State.UNKNOWN, "vipps_6050"),
    ("6190", State.UNKNOWN, "vipps_6190"),
    ("4140", State.REVIEW, "vipps_4140"),
    ("3010", State.UNKNOWN, "vipps_3010"),
]


@pytest.mark.parametrize(("code", "state", "outcome"), REFUSALS)
def test_each_refusal_has_its_end(chain: Chain, code: str, state: State, outcome: str) -> None:
    order = reserved(chain)
    lose(chain, FaultKind.REFUSE, code=code)
    release = run(ask_release(order, who=chain.kari, store=chain.oslo).refund)
    assert (release.state, release.outcome, release.provider_code) == (state, outcome, code)
    assert sums(chain, order) == (50_000, 0, 0)
    assert no_money_moved(order)


def test_a_refusal_that_speaks_of_the_payments_state_is_believed_after_twelve_quiet_hours(chain: Chain) -> None:
    order = reserved(chain)
    lose(chain, FaultKind.REFUSE, code="6050")
    release = run(ask_release(order, who=chain.kari, store=chain.oslo).refund)
    assert (release.state, release.verdict) == (State.UNKNOWN, "reject")
    assert later(release, hours=11, minutes=59).state == State.UNKNOWN
    assert later(release, hours=12, minutes=1).state == State.DECLINED
    assert "holds no reservation" in str(progress_of(release).explanation)
    assert len(cancels(chain)) == 1


def test_a_failed_event_with_our_key_is_a_refusal(chain: Chain) -> None:
    order = reserved(chain)
    lose(chain, FaultKind.FAILED_EVENT)
    release = run(ask_release(order, who=chain.kari, store=chain.oslo).refund)
    assert release.state == State.UNKNOWN
    assert again(release).state == State.DECLINED
    assert release.outcome == "failed_at_vipps"
    assert sums(chain, order) == (50_000, 0, 0)


def test_a_key_is_never_sent_again_after_twelve_hours(chain: Chain) -> None:
    order = reserved(chain)
    lose(chain, FaultKind.DROP_BEFORE)
    release = run(ask_release(order, who=chain.kari, store=chain.oslo).refund)
    assert (later(release, hours=12, minutes=1).state, release.generation) == (State.QUEUED, 1)
    assert later(release, hours=12, minutes=2).state == State.RELEASED
    assert len(set(cancels(chain))) == 2


def test_the_portal_released_it_before_we_looked(chain: Chain) -> None:
    order = reserved(chain)
    release = ask_release(order, who=chain.kari, store=chain.oslo).refund
    chain.simulator.portal_cancel(BERGEN, order.reference)
    run(release)
    assert (release.state, release.outcome, release.sends) == (State.RELEASED, "released_elsewhere", 0)
    assert "outside the hub" in str(progress_of(release).explanation)
    assert cancels(chain) == []


def test_the_portal_releases_it_while_our_call_is_on_its_way(chain: Chain) -> None:
    order = reserved(chain)
    lose(chain, FaultKind.DROP_BEFORE)
    release = run(ask_release(order, who=chain.kari, store=chain.oslo).refund)
    chain.simulator.portal_cancel(BERGEN, order.reference)
    assert again(release).state == State.RELEASED
    assert len(cancels(chain)) == 1


def test_a_capture_before_our_look_ends_the_release_and_the_money_can_be_refunded(chain: Chain) -> None:
    order = reserved(chain)
    release = ask_release(order, who=chain.kari, store=chain.oslo).refund
    chain.simulator.portal_capture(BERGEN, order.reference, 50_000)
    run(release)
    assert (release.state, release.outcome, release.sends) == (State.DECLINED, "captured_meanwhile", 0)
    assert (progress_of(release).headline, cancels(chain)) == ("Not released", [])
    order.refresh_from_db()
    assert (order.captured_minor, queries.left_of(order).left_minor) == (50_000, 50_000)
    assert run(ask(order, 50_000, who=chain.kari, store=chain.oslo).refund).state == State.REFUNDED


def test_a_capture_that_wins_the_race_at_vipps_ends_the_release(chain: Chain) -> None:
    order = reserved(chain)
    release = ask_release(order, who=chain.kari, store=chain.oslo).refund
    lose(chain, FaultKind.REFUSE, code="6040")
    run(release)
    chain.simulator.portal_capture(BERGEN, order.reference, 50_000)
    assert again(release).state == State.DECLINED
    assert release.outcome == "captured_meanwhile"
    assert sums(chain, order) == (50_000, 50_000, 0)


def test_a_part_captured_before_our_look_is_left_alone(chain: Chain) -> None:
    order = reserved(chain)
    release = ask_release(order, who=chain.kari, store=chain.oslo).refund
    chain.simulator.portal_capture(BERGEN, order.reference, 20_000)
    run(release)
    assert (release.state, release.outcome) == (State.DECLINED, "captured_meanwhile")
    assert sums(chain, order) == (50_000, 20_000, 0)


def test_a_part_captured_while_our_call_was_lost_waits_until_the_call_can_no_longer_apply(chain: Chain) -> None:
    order = reserved(chain)
    lose(chain, FaultKind.DROP_BEFORE)
    release = run(ask_release(order, who=chain.kari, store=chain.oslo).refund)
    chain.simulator.portal_capture(BERGEN, order.reference, 20_000)
    assert again(release).state == State.UNKNOWN
    assert len(cancels(chain)) == 1, "what the store took on purpose is not answered by letting the rest go"
    assert later(release, hours=12, minutes=1).state == State.DECLINED
    assert sums(chain, order) == (50_000, 20_000, 0)


def test_a_part_captured_just_before_our_cancel_leaves_that_part_to_be_refunded(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = reserved(chain)
    release = ask_release(order, who=chain.kari, store=chain.oslo).refund
    real = gateway.send_release

    def after_a_capture(session: VippsSession, of: Order, **told: Any) -> gateway.Outcome:
        chain.simulator.portal_capture(BERGEN, order.reference, 20_000)
        return real(session, of, **told)

    monkeypatch.setattr(gateway, "send_release", after_a_capture)
    assert run(release).state == State.UNKNOWN
    assert again(release).state == State.DECLINED
    assert (release.outcome, sums(chain, order)) == ("captured_in_part", (50_000, 20_000, 30_000))
    assert "only the rest was released" in str(progress_of(release).explanation)
    order.refresh_from_db()
    assert run(ask(order, 20_000, who=chain.kari, store=chain.oslo).refund).state == State.REFUNDED


def test_a_release_and_a_refund_of_one_order_keep_each_other_out(chain: Chain) -> None:
    order = reserved(chain)
    ask(order, 10_000, who=chain.kari, store=chain.oslo)
    with pytest.raises(Denied) as caught:
        ask_release(order, who=chain.mona, store=chain.oslo)
    assert caught.value.code == "refund_in_flight"
    run(order.refunds.get(number=2))
    ask_release(order, who=chain.mona, store=chain.oslo)
    with pytest.raises(Denied) as caught:
        ask(order, 10_000, who=chain.kari, store=chain.oslo, confirms_duplicate=True)
    assert caught.value.code == "released"


def test_above_the_limit_another_person_allows_it(chain: Chain, settings: Settings) -> None:
    order = reserved(chain)
    settings.APPROVAL_ABOVE_MINOR = {"NOK": 49_999}
    release = ask_release(order, who=chain.kari, store=chain.oslo).refund
    assert release.state == State.AWAITING_APPROVAL
    approving.approve_refund(release.pk, asker=chain.mona, by=access.actor_for(chain.mona, store=chain.oslo))
    assert run(release).state == State.RELEASED


def test_it_is_taken_back_or_refused_before_anything_is_sent_and_may_be_asked_for_again(
    chain: Chain, settings: Settings
) -> None:
    order = reserved(chain)
    settings.APPROVAL_ABOVE_MINOR = {"NOK": 49_999}
    by = access.actor_for(chain.mona, store=chain.oslo)
    first = ask_release(order, who=chain.kari, store=chain.oslo).refund
    assert approving.reject_refund(first.pk, note="no", asker=chain.mona, by=by).state == State.REJECTED
    second = ask_release(order, who=chain.kari, store=chain.oslo).refund
    assert approving.cancel_refund(second.pk, asker=chain.kari, by=by).state == State.CANCELLED
    with pytest.raises(NotWaiting):
        approving.cancel_refund(second.pk, asker=chain.kari, by=by)
    settings.APPROVAL_ABOVE_MINOR = {}
    assert run(ask_release(order, who=chain.kari, store=chain.oslo).refund).state == State.RELEASED
    assert no_money_moved(order)


def test_on_hold_nothing_is_released(chain: Chain) -> None:
    order = reserved(chain)
    release = ask_release(order, who=chain.kari, store=chain.oslo).refund
    order.account.__class__.objects.filter(order=order).update(on_hold=True)
    assert run(release).state == State.QUEUED
    assert cancels(chain) == []
