"""A reference that the index does not know is asked of Vipps itself: of every store that could have sold it, in seconds."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from refunds import discovering, sweep, tasks
from refunds.models import Breaker, State
from stores import access, audit, clock, nudge, people, registry
from stores.actors import hub
from stores.discovery import answering, questions, reading
from stores.discovery.questions import NotAsked, Standing
from stores.errors import HubError
from stores.models import AskedUnit, Company, Entry, Order, Role, StoreUnit, UnplacedPayment, VippsQuestion
from stores.orders import Confirmed
from stores.search import find_orders
from stores.search.limits import TooManyLookUps
from stores.vipps.simulator import Fault, FaultKind
from tests.conftest import Chain
from tests.refunds.asking import ask, run
from tests.refunds.asking_vipps import PAID_AT, answered, asked, paid, put

REFERENCE = "BER-2026-10042"

pytestmark = pytest.mark.usefixtures("rung", "one_connection")


def codes(not_asked: tuple[NotAsked, ...]) -> dict[str, str]:
    return {store.code: each.problem for each in not_asked for store in each.stores}


class TestFound:
    def test_an_order_that_no_till_told_of_is_found_indexed_and_refunded(self, chain: Chain) -> None:
        paid(chain, "BGO", REFERENCE)
        assert find_orders(REFERENCE, asker=chain.kari).hits == []
        progress = asked(chain, REFERENCE)
        assert (progress.standing, progress.asked, progress.stores, progress.not_asked) == (Standing.FOUND, 3, 3, ())
        [order] = progress.orders
        assert (order.store, order.captured_minor, order.claimed_minor) == (chain.bergen, 25_000, None)
        assert [hit.order for hit in find_orders(REFERENCE, asker=chain.kari).hits] == [order]
        assert run(ask(order, 5_000, who=chain.kari, store=chain.oslo).refund).state == State.REFUNDED

    def test_with_the_store_named_only_that_one_is_asked(self, chain: Chain) -> None:
        paid(chain, "BGO", REFERENCE)
        progress = asked(chain, REFERENCE, store=chain.bergen)
        assert (progress.standing, progress.stores) == (Standing.FOUND, 1)
        assert asked(chain, REFERENCE, store=chain.trondheim).standing == Standing.NOT_FOUND

    def test_a_prefix_leaves_one_store_of_a_shared_unit_and_one_call(self, chain: Chain) -> None:
        paid(chain, "HAM", "HAM-2026-10042")
        question = put(chain, "HAM-2026-10042")
        units = set(question.units.values_list("sales_unit__msn", flat=True))
        assert units == {"100001", "100002", "100003", "100004"}
        progress = answered(question)
        assert (progress.standing, progress.stores, [order.store for order in progress.orders]) == (
            Standing.FOUND,
            4,
            [chain.hamar],
        )

    def test_the_same_reference_in_two_stores_is_two_orders(self, chain: Chain) -> None:
        for code in ("BGO", "TRD"):
            paid(chain, code, REFERENCE)
        progress = asked(chain, REFERENCE)
        assert {order.store for order in progress.orders} == {chain.bergen, chain.trondheim}

    def test_an_ecom_payment_with_a_short_reference_is_asked_of_a_named_store(self, chain: Chain) -> None:
        paid(chain, "BGO", "B-79", api="ecom")
        with pytest.raises(HubError) as refused:
            put(chain, "B-79")
        assert refused.value.code == "not_a_whole_reference"
        progress = asked(chain, "B-79", store=chain.bergen)
        assert [order.reference for order in progress.orders] == ["B-79"]

    def test_what_is_found_and_nobodys_is_for_headquarters(self, chain: Chain) -> None:
        """Bergen's unit came to the hub a month ago, and this was paid before that."""
        StoreUnit.objects.filter(store=chain.bergen).update(valid_from=datetime.now(UTC) - timedelta(hours=1))
        paid(chain, "BGO", REFERENCE)
        progress = asked(chain, REFERENCE)
        assert (progress.standing, progress.orders) == (Standing.UNPLACED, ())
        assert UnplacedPayment.objects.get().reference == REFERENCE

    def test_a_known_order_is_asked_of_the_others_and_confirmed(self, chain: Chain) -> None:
        """Its own till told of it; the same reference may be another store's too."""
        order = chain.sold(chain.bergen, REFERENCE, 25_000)
        paid(chain, "TRD", REFERENCE)
        progress = asked(chain, REFERENCE)
        assert len(progress.orders) == 2
        order.refresh_from_db()
        assert order.captured_minor == 25_000


class TestNotFound:
    def test_it_says_so_after_all_were_asked(self, chain: Chain) -> None:
        progress = asked(chain, REFERENCE)
        assert (progress.standing, progress.asked, progress.stores) == (Standing.NOT_FOUND, 3, 3)
        assert not Order.objects.exists()

    def test_what_was_begun_and_never_paid_is_not_there(self, chain: Chain) -> None:
        paid(chain, "BGO", REFERENCE, captured_minor=0)
        chain.simulator.portal_cancel("100002", REFERENCE)
        assert asked(chain, REFERENCE).standing == Standing.FOUND, "reserved once, and let go: an order with nothing left"
        assert asked(chain, "BER-2026-10043").standing == Standing.NOT_FOUND

    def test_another_companys_payment_is_as_absent_as_none(self, chain: Chain) -> None:
        other = Company.objects.create(name="Fjord")
        store = registry.open_store(other, code="FJO", name="Fjord", city="Voss", country="NO", by=chain.by)
        registry.add_sales_unit(
            store, msn="900001", name="Voss", market="NO", environment="simulator", channel="in_store",
            valid_from=PAID_AT, by=chain.by,
        )  # fmt: skip
        chain.simulator.add_sales_unit("900001")
        chain.simulator.add_payment("900001", REFERENCE, amount_minor=100)
        progress = asked(chain, REFERENCE)
        assert (progress.standing, progress.stores) == (Standing.NOT_FOUND, 3)
        assert "900001" not in str(list(AskedUnit.objects.values_list("sales_unit__msn", flat=True)))

    def test_no_store_begins_references_like_that(self, chain: Chain) -> None:
        for link in StoreUnit.objects.filter(prefix=""):
            StoreUnit.objects.filter(pk=link.pk).update(prefix=f"{link.store.code}-")
        with pytest.raises(HubError) as refused:
            put(chain, REFERENCE)
        assert refused.value.code == "no_store_could_have_sold"


class TestCouldNotAsk:
    def test_a_unit_without_keys_is_named(self, chain: Chain) -> None:
        unit = chain.units["TRD"]
        unit.key_set = None
        unit.save()
        progress = asked(chain, REFERENCE)
        assert (progress.standing, progress.asked, progress.stores) == (Standing.INCOMPLETE, 2, 3)
        assert codes(progress.not_asked) == {"TRD": "no_keys"}

    def test_a_unit_that_is_left_alone_is_not_asked(self, chain: Chain) -> None:
        unit = chain.units["BGO"]
        Breaker.objects.create(environment=unit.environment, sales_unit=unit, failures=3, opened_at=PAID_AT)
        paid(chain, "BGO", REFERENCE)
        assert codes(asked(chain, REFERENCE).not_asked) == {"BGO": "left_alone"}

    def test_nor_anybody_while_the_host_is(self, chain: Chain) -> None:
        Breaker.objects.create(environment="simulator", sales_unit=None, failures=10, opened_at=PAID_AT)
        progress = asked(chain, REFERENCE)
        assert set(codes(progress.not_asked).values()) == {"left_alone"}
        assert chain.simulator.calls.total() == 0

    @pytest.mark.parametrize(
        ("kind", "problem"),
        [(FaultKind.THROTTLE, "throttled"), (FaultKind.FORBIDDEN, "keys_refused"), (FaultKind.ERROR_BEFORE, "no_answer")],
    )
    def test_what_vipps_refuses_is_told_apart_and_the_others_are_asked(
        self, chain: Chain, kind: FaultKind, problem: str
    ) -> None:
        paid(chain, "BGO", REFERENCE)
        chain.simulator.arm(Fault(kind=kind, operation="get", msn="100001", times=10))
        progress = asked(chain, REFERENCE)
        assert (progress.standing, codes(progress.not_asked)) == (Standing.FOUND, {"OSL": problem})

    def test_keys_that_are_asked_to_wait_are_asked_no_more(
        self, chain: Chain, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Six stores of one partner: the first answer says 429, and what had not gone out stays."""
        for number in range(5):
            _of_the_partner(chain, f"10010{number}", f"P{number}A")
        monkeypatch.setattr(answering._pool, "_max_workers", 1)
        chain.simulator.arm(Fault(kind=FaultKind.THROTTLE, operation="get", times=10))
        progress = asked(chain, REFERENCE)
        assert set(codes(progress.not_asked).values()) == {"throttled"}
        assert chain.simulator.calls.total() < 16

    def test_more_than_vipps_takes_with_one_key_are_left_for_a_named_store(
        self, chain: Chain, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _of_the_partner(chain, "100101", "PRT")
        monkeypatch.setattr(answering, "MOST_OF_ONE_KEY", 1)
        progress = asked(chain, REFERENCE)
        assert list(codes(progress.not_asked).values()) == ["too_many"]

    @pytest.mark.django_db(transaction=True)
    def test_who_does_not_answer_within_the_deadline_is_not_waited_for(
        self, chain: Chain, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        is_over = threading.Event()

        def slowly(session: Any, unit_id: int, reference: str, *, as_of: datetime) -> Confirmed | None:
            if unit_id == chain.units["OSL"].pk:
                is_over.wait(10)
                return None
            return reading.ask_for_payment(session, unit_id, reference, as_of=as_of)

        monkeypatch.setattr(answering, "ask_for_payment", slowly)
        monkeypatch.setattr(answering, "DEADLINE_SECONDS", 1.0)
        paid(chain, "BGO", REFERENCE)
        began = time.monotonic()
        progress = asked(chain, REFERENCE)
        took = time.monotonic() - began
        is_over.set()
        assert 1.0 <= took < 4.0
        assert (progress.standing, codes(progress.not_asked)) == (Standing.FOUND, {"OSL": "no_answer"})


    @pytest.mark.django_db(transaction=True)
    def test_who_was_never_asked_within_the_deadline_is_left_for_a_named_store(
        self, chain: Chain, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        is_over = threading.Event()

        def slowly(*_asked: object, as_of: datetime) -> None:
            is_over.wait(10)

        monkeypatch.setattr(answering, "ask_for_payment", slowly)
        monkeypatch.setattr(answering, "DEADLINE_SECONDS", 0.2)
        with ThreadPoolExecutor(max_workers=1) as pool:
            monkeypatch.setattr(answering, "_pool", pool)
            progress = asked(chain, REFERENCE)
            is_over.set()
        assert sorted(codes(progress.not_asked).values()) == ["no_answer", "too_many", "too_many"]


def _of_the_partner(chain: Chain, msn: str, code: str) -> None:
    store = registry.open_store(chain.company, code=code, name=f"Nordlys {code}", city="Oslo", country="NO", by=chain.by)
    unit = registry.add_sales_unit(
        store, msn=msn, name=code, market="NO", environment="simulator", channel="in_store",
        valid_from=datetime.now(UTC) - timedelta(days=800), by=chain.by,
    )  # fmt: skip
    chain.simulator.add_sales_unit(msn)
    partner = chain.simulator._merchants.partners["partner-1"]
    chain.simulator.add_partner("partner-1", [*partner.msns, msn], keys=partner.keys)
    key_set = chain.units["TRD"].key_set
    assert key_set is not None
    registry.bind_partner_keys(unit, key_set, by=chain.by)


class TestClosedAndMoved:
    def test_a_closed_stores_order_is_found_and_refunded_by_the_unit_that_sold(self, chain: Chain) -> None:
        paid(chain, "BGO", REFERENCE)
        registry.close_store(chain.bergen, reason="moved out", by=chain.by)
        progress = asked(chain, REFERENCE)
        [order] = progress.orders
        assert (order.store, order.sales_unit) == (chain.bergen, chain.units["BGO"])
        assert run(ask(order, 5_000, who=chain.kari, store=chain.oslo).refund).state == State.REFUNDED

    def test_a_unit_that_ended_more_than_a_year_ago_is_not_asked(self, chain: Chain) -> None:
        StoreUnit.objects.filter(store=chain.bergen).update(valid_until=datetime.now(UTC) - timedelta(days=400))
        assert "100002" not in set(put(chain, REFERENCE).units.values_list("sales_unit__msn", flat=True))


class TestWhoMayAsk:
    @pytest.mark.parametrize(
        "typed", ["BER-100", "", "BER 2026 10042", "BER-2026-1004%", "x" * 65, "BER-2026-10042\n", "ÆØÅ-2026-1"]
    )
    def test_only_whole_references_are_asked_for(self, chain: Chain, typed: str) -> None:
        with pytest.raises(HubError) as refused:
            put(chain, typed)
        assert refused.value.code == "not_a_whole_reference"
        assert not VippsQuestion.objects.exists()

    def test_a_handful_a_minute(self, chain: Chain, settings: Settings) -> None:
        settings.VIPPS_QUESTIONS_PER_MINUTE = 2
        put(chain, REFERENCE)
        put(chain, REFERENCE)
        with pytest.raises(TooManyLookUps):
            put(chain, REFERENCE)
        VippsQuestion.objects.update(asked_at=PAID_AT)
        put(chain, REFERENCE)

    def test_a_whole_chain_has_a_limit_too(self, chain: Chain, settings: Settings) -> None:
        settings.VIPPS_QUESTIONS_PER_MINUTE_IN_ALL = 1
        put(chain, REFERENCE)
        by = access.actor_for(chain.mona, store=chain.oslo)
        with pytest.raises(TooManyLookUps):
            questions.ask_vipps(REFERENCE, asker=chain.mona, from_store=chain.oslo, by=by)

    @pytest.mark.django_db(transaction=True)
    def test_two_at_once_do_not_both_count_as_the_last(self, chain: Chain, settings: Settings) -> None:
        settings.VIPPS_QUESTIONS_PER_MINUTE = 1
        said: list[str] = []
        gate = threading.Barrier(2)

        def at_once() -> None:
            gate.wait(10)
            try:
                said.append(put(chain, REFERENCE).reference)
            except TooManyLookUps as refused:
                said.append(refused.code)
            finally:
                connection.close()

        threads = [threading.Thread(target=at_once) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert sorted(said) == [REFERENCE, "too_many_look_ups"]

    def test_it_is_recorded_where_it_was_asked(self, chain: Chain) -> None:
        put(chain, REFERENCE, store=chain.bergen)
        entry = Entry.objects.get(event="vipps.asked")
        assert (entry.chain.store, entry.actor_name) == (chain.oslo, "Kari")
        assert audit.facts_of(entry) == {"reference": REFERENCE, "units": 1, "where": "BGO"}
        assert audit.verify().bad is None

    def test_per_may_not_ask_and_nobody_sees_anothers_question(self, chain: Chain) -> None:
        by = access.actor_for(chain.per, store=chain.oslo)
        with pytest.raises(HubError) as refused:
            questions.ask_vipps(REFERENCE, asker=chain.per, from_store=chain.oslo, by=by)
        assert refused.value.code == "forbidden"
        question = put(chain, REFERENCE)
        people.join_store(chain.per, chain.bergen, role=Role.CASHIER, by=chain.by)
        with pytest.raises(HubError) as absent:
            questions.progress_for(chain.per, question.public_id)
        assert absent.value.code == "not_found"


class TestLostMessages:
    @pytest.mark.django_db(transaction=True)
    def test_a_worker_is_rung_for_and_the_sweep_answers_where_none_comes(
        self, chain: Chain, rung: list[tuple[str, str]]
    ) -> None:
        paid(chain, "BGO", REFERENCE)
        question = put(chain, REFERENCE)
        assert rung[-1] == ("stores.answer_question", str(question.pk))
        assert sweep.sweep_once(by=hub("sweep")).questions == 0, "it was rung for a moment ago"
        VippsQuestion.objects.update(nudged_at=clock.db_now() - timedelta(seconds=5))
        assert sweep.sweep_once(by=hub("sweep")).questions == 1
        question.refresh_from_db()
        assert questions.progress_of(question).standing == Standing.FOUND

    @pytest.mark.django_db(transaction=True)
    def test_without_a_broker_the_sweep_answers_at_once(self, chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(nudge, "publish", lambda _task, _row_id: False)
        question = put(chain, REFERENCE)
        sweep.sweep_once(by=hub("sweep"))
        question.refresh_from_db()
        assert question.ended_at is not None

    def test_a_worker_that_died_is_taken_over_from_where_it_was(self, chain: Chain) -> None:
        paid(chain, "TRD", REFERENCE)
        question = put(chain, REFERENCE)
        now = clock.db_now()
        VippsQuestion.objects.update(claimed_until=now + timedelta(seconds=20))
        assert not discovering.answer(question.pk, by=hub("worker")), "somebody is at it"
        AskedUnit.objects.filter(sales_unit=chain.units["BGO"]).update(answer="not_there")
        VippsQuestion.objects.update(claimed_until=now - timedelta(seconds=1))
        progress = answered(question)
        assert (progress.standing, progress.asked) == (Standing.FOUND, 3)
        assert chain.simulator.calls["get"] <= 3

    def test_what_nobody_answered_for_two_minutes_is_given_up_and_says_so(self, chain: Chain) -> None:
        question = put(chain, REFERENCE)
        long_ago = clock.db_now() - timedelta(minutes=3)
        VippsQuestion.objects.update(asked_at=long_ago, nudged_at=long_ago)
        discovering.answer_due(by=hub("sweep"))
        question.refresh_from_db()
        progress = questions.progress_of(question)
        assert (progress.standing, set(codes(progress.not_asked).values())) == (Standing.INCOMPLETE, {"nobody_asked"})

    def test_a_message_answers_once_and_anything_odd_in_it_is_ignored(self, chain: Chain) -> None:
        question = put(chain, REFERENCE)
        for said in (str(question.pk), str(question.pk), "999999", "x", ""):
            tasks.answer_question(said)
        assert chain.simulator.calls.total() == 6, "three tokens, three payments"
