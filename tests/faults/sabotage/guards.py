"""The closed list of guards that can be taken away, one at a time, and the directed test that must then fail."""

import uuid
from dataclasses import dataclass, replace
from datetime import timedelta

from django.db.models import BooleanField, Value

from hq import logs
from hq.admin import second_factor
from refunds import attempts, breakers, deciding, identity, ledger, pausing, reconciliation, states, sweep
from refunds.desk import till
from stores import access, pins, sessions, signing, vault
from stores.audit import verifying, writing
from stores.models import Order
from stores.vipps.signatures import Verdict
from tests.faults.sabotage.removing import (
    ALWAYS_FALSE,
    MOVE,
    NEVER_SENT,
    EndlessLease,
    Gone,
    RandomKeys,
    absent_is_failed,
    called_before_the_commit,
    deadline_from_after_the_commit,
    moved_without_fence,
    redirects_followed,
    review_holds_nothing,
    success_needs_the_fence,
    swap,
    timeout_is_failed,
    without_index,
    without_triggers_of,
)

_REFUNDS, _STORES, _HQ = "tests/refunds", "tests/stores", "tests/hq"
_FOUND = f"{_REFUNDS}/test_found_by_schedules.py"


@dataclass(frozen=True, kw_only=True)
class Guard:
    """`gone` takes it away until the block ends; `test` must then be red. A test with parameters: any of them."""

    name: str
    test: str
    gone: Gone


GUARDS: tuple[Guard, ...] = (
    # The sixteen of the study
    Guard(
        name="timeout is not failed",
        test=f"{_REFUNDS}/test_refund_path.py::test_a_lost_answer_is_unknown_and_then_proved_by_our_own_key",
        gone=timeout_is_failed,
    ),
    Guard(
        name="an absent event is not failed",
        test=f"{_REFUNDS}/test_evidence.py::test_a_stale_event_log_is_no_failure_and_pays_nobody_twice",
        gone=swap(deciding, "_without_evidence", absent_is_failed),
    ),
    Guard(
        name="the sweep",
        test=f"{_REFUNDS}/test_sweep.py::test_with_the_broker_down_the_sweep_runs_it_itself",
        gone=swap(sweep, "_move_due", lambda by: (0, 0)),
    ),
    Guard(
        name="the reservation",
        test=f"{_REFUNDS}/test_intake.py::test_money_on_its_way_is_not_left",
        gone=swap(ledger, "reserve", lambda refund: True),
    ),
    Guard(
        name="one key for every send of a generation",
        test=f"{_REFUNDS}/test_refund_path.py::test_a_lost_request_goes_out_again_under_the_same_key",
        gone=swap(attempts, "identity", RandomKeys),
    ),
    Guard(
        name="the fence",
        test=f"{_REFUNDS}/test_states.py::test_a_stale_fence_moves_nothing",
        gone=swap(states, "move", moved_without_fence),
    ),
    Guard(
        name="the lease's end",
        test=f"{_REFUNDS}/test_frozen_workers.py::test_late_success_counts_though_the_lease_is_gone",
        gone=swap(sweep, "_release_lapsed_leases", lambda by: 0),
    ),
    Guard(
        name="quiet time",
        test=f"{_REFUNDS}/test_evidence.py::test_a_refusal_after_an_unresolved_send_waits_twelve_hours_and_then_declines",
        gone=swap(states, "QUIET_TIME", timedelta()),
    ),
    Guard(
        name="the send deadline",
        test=f"{_FOUND}::test_a_worker_that_freezes_right_after_the_commit_of_its_intent_sends_nothing",
        gone=swap(states, "SEND_WITHIN_SECONDS", 1e9),
    ),
    Guard(
        name="the reading before the first send",
        test=f"{_REFUNDS}/test_refund_path.py::test_a_claim_too_high_is_corrected_by_vipps",
        gone=swap(deciding, "_refusal", lambda *_: ""),
    ),
    Guard(
        name="one in flight",
        test=f"{_REFUNDS}/test_guards.py::test_the_database_refuses_a_second_refund_of_an_order_in_flight",
        gone=lambda: without_index("one_in_flight"),
    ),
    Guard(
        name="no unexplained money",
        test=f"{_REFUNDS}/test_evidence.py::test_refused_with_money_gone_that_nobody_explains_is_for_people",
        gone=swap(deciding, "has_unexplained_money", lambda *_: False),
    ),
    Guard(
        name="no key is sent again after its window",
        test=f"{_REFUNDS}/test_evidence.py::test_a_key_is_never_sent_again_after_twelve_hours",
        gone=swap(states, "RESEND_WINDOW", timedelta(days=3_650)),
    ),
    Guard(
        name="derived ids",
        test=f"{_REFUNDS}/test_refund_path.py::test_a_second_click_refunds_once",
        gone=swap(identity, "refund_id", lambda *_: uuid.uuid4()),
    ),
    Guard(
        name="the intent is committed before the call",
        test=f"{_REFUNDS}/test_frozen_workers.py::test_nobody_is_called_and_nobody_sleeps_while_a_transaction_is_open",
        gone=called_before_the_commit,
    ),
    Guard(
        name="late success counts",
        test=f"{_REFUNDS}/test_states.py::test_success_after_an_end_goes_to_people_with_a_correction_and_a_hold",
        gone=swap(states, "T7_AFTER_ALL", replace(states.T7_AFTER_ALL, before=())),
    ),
    # The twelve of RELIABILITY 4.11, beyond those above
    Guard(
        name="scoped queries",
        test=f"{_STORES}/test_access.py::test_absent_and_forbidden_orders_look_the_same",
        gone=swap(access, "visible_orders", lambda asker: Order.objects.all()),
    ),
    Guard(
        name="sealed values are bound to their row",
        test=f"{_STORES}/test_vault.py::test_a_secret_does_not_open_when_one_part_of_its_place_differs",
        gone=swap(vault.Context, "canonical", lambda self: b"anywhere"),
    ),
    Guard(
        name="the triggers of the trail",
        test=f"{_STORES}/test_audit.py::test_the_database_refuses_to_change_the_trail",
        gone=lambda: without_triggers_of("stores_entry"),
    ),
    Guard(
        name="the triggers of the ledger",
        test=f"{_REFUNDS}/test_guards.py::test_the_database_refuses_to_change_or_remove_a_ledger_entry",
        gone=lambda: without_triggers_of("refunds_ledgerentry"),
    ),
    Guard(
        name="the triggers of lines that go back",
        test=f"{_REFUNDS}/test_lines.py::test_the_database_refuses_a_line_twice_a_strange_one_and_a_change",
        gone=lambda: without_triggers_of("refunds_refundline"),
    ),
    Guard(
        name="the second factor at headquarters' door",
        test=f"{_HQ}/test_sign_in.py::test_the_second_factor_is_set_up_on_the_way_to_headquarters",
        gone=swap(second_factor, "is_proven", lambda request: True),
    ),
    Guard(
        name="the filter of the log",
        test=f"{_HQ}/test_logs.py::test_what_looks_like_a_key_is_hidden_wherever_it_stands",
        gone=swap(logs, "HIDDEN", r"\g<0>"),
    ),
    Guard(
        name="the trail is written in the transaction of what it tells",
        test=f"{_STORES}/test_audit.py::test_nothing_is_recorded_outside_a_transaction",
        gone=swap(writing, "_keep_to_one_chain", lambda chain: None),
    ),
    Guard(
        name="a chain's head is its last entry",  # there is no checkpoint job yet: the head is what stands in its place
        test=f"{_STORES}/test_audit.py::test_a_cut_tail_and_a_forged_one_are_found",
        gone=swap(verifying, "_wrong_end", lambda *_: None),
    ),
    Guard(
        name="redirects are not followed",
        test=f"{_STORES}/vipps/test_transport.py::test_a_redirect_is_an_answer_and_never_followed",
        gone=redirects_followed,
    ),
    # Others of ours
    Guard(
        name="success needs no fence",
        test=f"{_REFUNDS}/test_frozen_workers.py::test_late_success_counts_though_another_worker_has_the_claim",
        gone=success_needs_the_fence,
    ),
    Guard(
        name="the deadline runs from before the commit",
        test=f"{_FOUND}::test_a_worker_that_freezes_right_after_the_commit_of_its_intent_sends_nothing",
        gone=deadline_from_after_the_commit,
    ),
    Guard(
        name="enough of the lease for a whole call",
        test=f"{_REFUNDS}/test_frozen_workers.py::test_with_too_little_of_the_lease_left_nothing_is_sent",
        gone=swap(attempts, "states", EndlessLease),
    ),
    Guard(
        name="the sum before a call by everything known",
        test=f"{_FOUND}::test_money_of_an_earlier_refund_never_passes_for_this_ones",
        gone=swap(deciding, "refunded_before", lambda reading, books: reading.payment.aggregate.refunded),
    ),
    Guard(
        name="a restore may have lost sends",
        test=f"{_FOUND}::test_what_a_restore_lost_is_not_declined_because_the_log_cannot_be_read",
        gone=swap(deciding.Standing, "was_never_sent", NEVER_SENT),
    ),
    Guard(
        name="a refusal after a restore is looked into",
        test=f"{_FOUND}::test_after_a_restore_a_refusal_ends_a_refund_once_the_log_was_read_again",
        gone=swap(deciding.Standing, "may_have_been_applied", ALWAYS_FALSE),
    ),
    Guard(
        name="nothing is sent while a restore is checked",
        test=f"{_REFUNDS}/test_restoring.py::test_nothing_is_sent_until_it_was_read_and_a_quarter_of_an_hour_has_passed",
        gone=swap(attempts, "is_being_checked", lambda company_id: False),
    ),
    Guard(
        name="review holds the order",
        test=f"{_REFUNDS}/test_evidence.py::test_another_amount_under_our_key_goes_to_people_and_holds_the_order",
        gone=review_holds_nothing,
    ),
    Guard(
        name="five changes a minute",
        test=f"{_REFUNDS}/test_pacing.py::test_the_sixth_change_within_a_minute_waits",
        gone=swap(deciding, "MOST_SENDS_A_MINUTE", 1_000),
    ),
    Guard(
        name="soft refusals wear a key out",
        test=f"{_REFUNDS}/test_evidence.py::test_three_soft_refusals_wear_a_key_out",
        gone=swap(states, "SOFT_REFUSALS_BEFORE_NEW_KEY", 10**6),
    ),
    Guard(
        name="what others refunded counts",
        test=f"{_REFUNDS}/test_refund_path.py::test_what_the_portal_refunded_counts",
        gone=swap(reconciliation, "_adopt_outside_refunds", lambda *_args, **_more: None),
    ),
    Guard(
        name="pauses",
        test=f"{_REFUNDS}/test_pausing.py::test_what_is_paused_waits_and_then_goes_on",
        gone=swap(pausing, "over_refund", lambda: Value(False, output_field=BooleanField())),
    ),
    Guard(
        name="circuit breakers",
        test=f"{_REFUNDS}/test_breakers.py::test_after_ten_failures_in_a_row_nobody_calls_the_host",
        gone=swap(breakers, "is_shut_off", lambda unit, *, by: None),
    ),
    Guard(
        name="notices are proved",
        test=f"{_REFUNDS}/test_inbound.py::test_what_is_not_news_moves_nothing",
        gone=swap(signing, "judge_notice", lambda *_args, **_more: Verdict.GENUINE),
    ),
    Guard(
        name="one key is one wish",
        test=f"{_REFUNDS}/test_intake.py::test_a_key_with_another_wish_is_refused_and_recorded",
        gone=swap(identity, "fingerprint", lambda wish: "f" * 64),
    ),
    Guard(
        name="what was sent is not withdrawn",
        test=f"{_REFUNDS}/test_states.py::test_nothing_that_was_sent_is_withdrawn",
        gone=swap(states, "move", lambda refund, row, **more: MOVE(refund, replace(row, unsent=False), **more)),
    ),
    Guard(
        name="the MSN lock",
        test=f"{_STORES}/test_sessions.py::test_a_binding_that_the_registry_would_not_make_is_not_followed",
        gone=swap(sessions, "_check_fit", lambda *_: None),
    ),
    # A shared till
    Guard(
        name="wrong PINs are counted",
        test=f"{_REFUNDS}/test_beside.py::test_a_guesser_is_stopped_though_the_fifth_guess_is_followed_by_the_right_one",
        gone=swap(pins, "CLOSES_AFTER", 10**6),
    ),
    Guard(
        name="a PIN goes on with a full sign-in",
        test=f"{_REFUNDS}/test_desk_till.py::test_signing_in_in_full_is_good_for_a_day",
        gone=swap(till, "A_DAY", 10**9),
    ),
    Guard(
        name="a locked till opens nothing",
        test=f"{_REFUNDS}/test_desk_till.py::test_a_press_at_a_locked_till_moves_no_money_and_comes_back_to_its_order",
        gone=swap(till, "is_locked", lambda request, user: False),
    ),
)
