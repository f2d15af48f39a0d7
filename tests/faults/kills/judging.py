"""The judge: the simulator's own log and the tills' histories against the hub's rows; nothing is believed that is not seen."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import requests
from django.db.models import Sum

from refunds.models import ENDS, Account, Attempt, LedgerEntry, OrderAccount, Refund, State
from stores import audit
from stores.api.ids import REFUND, shown_id
from stores.models import Entry
from tests.faults.kills.goods import Wish
from tests.faults.kills.history import Event
from tests.faults.kills.tills import Answer

_MOST_TOLD = 20
_CLOCKS_DIFFER = timedelta(milliseconds=50)

@dataclass(kw_only=True)
class Verdict:
    """Violations by kind: how many, and the first of them in words. Empty: all held."""

    counts: Counter[str] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)

    def add(self, kind: str, what: object) -> None:
        self.counts[kind] += 1
        if len(self.told) < _MOST_TOLD:
            self.told.append(f"{kind}: {what}")


def applied_refunds(provider_url: str) -> list[dict[str, Any]]:
    """Every movement of money that the simulator booked."""
    url = f"{provider_url}/_simulator/log?operation=refund&applied=true"
    entries: list[dict[str, Any]] = requests.get(url, timeout=60).json()["entries"]
    return entries


def judge(
    applied: Sequence[dict[str, Any]], wishes: Sequence[Wish], events: Sequence[Event], looks: dict[str, Answer]
) -> Verdict:
    """Everything that must hold once all is quiet. `looks` is what the hub says by each wish's key at the end."""
    verdict = Verdict()
    refunds = {refund.client_key: refund for refund in Refund.objects.select_related("order__sales_unit__key_set")}
    _judge_money(verdict, applied, refunds)
    _judge_wishes(verdict, wishes, events, refunds, looks)
    _judge_books(verdict, applied)
    _judge_trail(verdict, refunds)
    return verdict


def _judge_money(verdict: Verdict, applied: Sequence[dict[str, Any]], refunds: dict[str, Refund]) -> None:
    """I1, I3, I4, I5: who was paid, how often, by whom, and whether the intent was there before."""
    attempts = {attempt.provider_key: attempt for attempt in Attempt.objects.order_by("-number")}  # the first one stays
    by_refund: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for entry in applied:
        attempt = attempts.get(entry["idempotency_key"])
        if attempt is None:
            verdict.add("sent without an intent", entry)
            continue
        by_refund[attempt.refund_id].append(entry)
        if attempt.intended_at > datetime.fromisoformat(entry["time"][:26] + "+00:00") + _CLOCKS_DIFFER:
            verdict.add("sent before its intent", entry)
    for refund in refunds.values():
        paid = by_refund.get(refund.pk, [])
        if len(paid) > 1:
            verdict.add("doubled", [refund.client_key, paid])
        if (refund.state == State.REFUNDED) != bool(paid):
            verdict.add("untrue end" if refund.has_ended else "unsettled", f"{refund.client_key} {refund.state} {len(paid)}")
        elif not refund.has_ended:
            verdict.add("unsettled", f"{refund.client_key} {refund.state}")
        for entry in paid:
            unit = refund.order.sales_unit
            if (entry["msn"], entry["reference"], entry["amount_minor"]) != (
                unit.msn,
                refund.order.reference,
                refund.amount_minor,
            ):
                verdict.add("another payment or amount", [refund.client_key, entry])


def _judge_wishes(
    verdict: Verdict, wishes: Sequence[Wish], events: Sequence[Event], refunds: dict[str, Refund], looks: dict[str, Answer]
) -> None:
    """I10 and the histories: what a till was told stays true for ever, and every wish was decided once."""
    by_key: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        if event.kind != "invoke":
            by_key[event.key].append(event)
    for wish in wishes:
        told, refund, look = by_key[wish.key], refunds.get(wish.key), looks[wish.key]
        ids = {event.refund_id for event in told if event.kind == "ok"}
        is_accepted, is_refused = bool(ids), any(event.kind == "fail" and event.what == "ask" for event in told)
        if is_accepted and refund is None:
            verdict.add("lost", f"{wish.key} was accepted and is not there")
        if is_accepted and refund is not None and refund.state != State.REFUNDED:
            verdict.add("lost", f"{wish.key} was accepted and is {refund.state}: {refund.outcome}")
        if len(ids) > 1:
            verdict.add("history", f"{wish.key} has two ids: {ids}")
        if is_accepted and is_refused:
            verdict.add("history", f"{wish.key} was accepted and refused")
        if (refund is not None and is_refused) or (wish.is_too_much and refund is not None):
            verdict.add("history", f"{wish.key} was refused, or asked for too much, and is there")
        if not is_accepted and not is_refused and not wish.gives_up:
            verdict.add("undecided", wish.key)
        if look.status != (200 if refund is not None else 404) or (refund and look.body["id"] != shown_id(REFUND, refund.pk)):
            verdict.add("history", f"{wish.key} is answered with {look.status} in the end")
        _judge_order_of_answers(verdict, told)
    known = {wish.key for wish in wishes}
    for key in refunds.keys() - known:
        verdict.add("history", f"nobody wished {key}")


def _judge_order_of_answers(verdict: Verdict, told: Sequence[Event]) -> None:
    """Once there, never absent; once ended, never otherwise."""
    ended = ""
    is_there = False
    for event in told:
        if event.kind == "ok":
            if ended and event.state != ended:
                verdict.add("history", f"{event.key} was {ended} and then {event.state}")
            is_there, ended = True, event.state if event.state in ENDS else ended
        elif event.kind == "fail" and is_there:
            verdict.add("history", f"{event.key} was there and then {event.status}")


def _judge_books(verdict: Verdict, applied: Sequence[dict[str, Any]]) -> None:
    """I2, I7, I12: entries, balances, and the provider's own sums."""
    folded: dict[int, Counter[str]] = defaultdict(Counter)
    for order_id, debit, credit, amount in LedgerEntry.objects.values_list("order_id", "debit", "credit").annotate(
        amount=Sum("amount_minor")
    ):
        folded[order_id][debit] -= amount
        folded[order_id][credit] += amount
    at_provider: Counter[tuple[str, str]] = Counter()
    for entry in applied:
        at_provider[entry["msn"], entry["reference"]] += entry["amount_minor"]
    for account in OrderAccount.objects.select_related("order__sales_unit"):
        order, fold = account.order, folded[account.order_id]
        name = f"{order.sales_unit.msn} {order.reference}"
        outside = fold[Account.EXTERNAL] + fold[Account.ORPHAN]
        if (fold[Account.RESERVED], fold[Account.REFUNDED], outside) != (
            account.reserved_minor,
            account.posted_minor,
            account.external_minor,
        ):
            verdict.add("ledger", f"{name}: balances {account.__dict__} against {dict(fold)}")
        paid = at_provider.pop((order.sales_unit.msn, order.reference), 0)
        if paid != account.posted_minor + account.external_minor or account.external_minor or account.reserved_minor:
            verdict.add("ledger", f"{name}: {paid} at the provider, posted {account.posted_minor}, reserved"
                        f" {account.reserved_minor}, external {account.external_minor}")  # fmt: skip
        if paid > (order.captured_minor or order.claimed_minor or 0):
            verdict.add("over-refunded", name)
    for payment in at_provider:
        verdict.add("ledger", f"{payment} was refunded and has no account")


def _judge_trail(verdict: Verdict, refunds: dict[str, Refund]) -> None:
    """I8: unbroken chains, and every refund's entries fold to where it stands."""
    checked = audit.verify()
    if checked.bad is not None:
        verdict.add("trail", checked.bad)
    stands: dict[str, str] = {}
    entries = Entry.objects.filter(subject_type="refund", event__in=("refund.accepted", "refund.moved"))
    for entry in entries.order_by("chain_id", "counter").iterator():
        facts, key = audit.facts_of(entry), entry.subject_id
        before = facts.get("before")
        if stands.get(key) != before:
            verdict.add("trail", f"{key} stood at {stands.get(key)} and moved from {before}")
        stands[key] = facts["after"] if before is not None else facts["state"]
    for refund in refunds.values():
        if stands.get(str(refund.pk)) != refund.state:
            verdict.add("trail", f"{refund.client_key} is {refund.state}, its entries end at {stands.get(str(refund.pk))}")
