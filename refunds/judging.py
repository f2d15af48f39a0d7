"""From a wish to a verdict: reads the facts and the rules in force, and lets `policy` decide. Every door asks here."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Q, Sum

from refunds import pausing, policy, queries, rulebooks, rules
from refunds.errors import Denied
from refunds.models import FAILED, AskerRole, Kind, Measure, Refund, Tier
from refunds.queries import Left
from refunds.rulebooks import Rulebook
from refunds.rules import Breach, Wish
from stores import access, clock, settled
from stores.access import Asker
from stores.models import Order, Store, StoreSystem, User
from stores.money import Money

_WITHOUT_A_YES_OF: dict[Tier, tuple[str, ...]] = {Tier.STORE: ("",), Tier.HEADQUARTERS: ("", Tier.STORE)}
"""What counts towards a limit: all that went without the yes that the limit asks for."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A verdict that is a yes, and the rulebook it was found in."""

    allowed: policy.Allowed
    rulebook: Rulebook


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Who asks for what, where. `cashier` is a till's own name for its cashier; `reason` "" where none is chosen yet."""

    order: Order
    refunding_store: Store
    asker: Asker
    cashier: str = ""
    reason: str = ""
    has_receipt: bool = True

    def wish(self, amount_minor: int, currency: str, *, book: Rulebook, now: datetime) -> Wish:
        return Wish(
            amount_minor=amount_minor,
            currency=currency,
            role=self._role() if any(rule.role for rule in book.rules) else "",
            store_id=self.refunding_store.pk,
            age=now - self.order.paid_at,
            reason=self.reason,
            has_receipt=self.has_receipt,
        )

    def _role(self) -> str:
        if isinstance(self.asker, StoreSystem):
            return AskerRole.SYSTEM
        return access.store_role_of(self.asker, self.refunding_store) or ""

    def alike(self, measure: Measure) -> dict[str, Any]:
        """Which refunds add up with this one, as a filter; it names what an index finds them by."""
        store = self.refunding_store
        match measure:
            case Measure.ORDER:
                return {"order": self.order.pk}
            case Measure.CASHIER if isinstance(self.asker, User):
                return {"requested_by": self.asker.pk}
            case Measure.CASHIER:
                return {"refunding_store": store.pk, "requested_by_system": self.asker.pk, "cashier": self.cashier}
            case Measure.TILL:
                return {"refunding_store": store.pk, "client_id": client_of(self.asker, store)}
            case _:
                return {"refunding_store": store.pk}


def client_of(asker: Asker, store: Store) -> str:
    """Whose request keys they are: the store system's own, or the desk's of one store; never an API key's."""
    return str(asker.public_id) if isinstance(asker, StoreSystem) else f"desk:{store.public_id}"


@dataclass(frozen=True, kw_only=True)
class Known:
    """What a page has read a moment ago. Good enough to say what would happen; a refund is accepted on what is read anew."""

    left: Left
    disputed_minor: int
    now: datetime
    book: Rulebook


def known_of(order: Order, *, book: Rulebook | None = None) -> Known:
    """The same, read now."""
    now = clock.db_now()
    return Known(
        left=queries.left_of(order),
        disputed_minor=settled.disputed_minor(order),
        now=now,
        book=book or rulebooks.in_force(order.store.company_id, now=now),
    )


def judge_refund(asked: Asked, money: Money, *, known: Known) -> Judged:
    """What policy says of a refund, by what is known; changes nothing. Raises Denied."""
    order, left, now, book = asked.order, known.left, known.now, known.book
    key_set = order.sales_unit.key_set
    verdict = policy.decide(
        policy.Facts(
            amount_minor=money.amount_minor,
            currency=money.currency,
            order_currency=order.currency,
            reference=order.reference,
            captured_minor=order.captured_minor,
            left_minor=left.left_minor,
            paid_at=order.paid_at,
            now=now,
            is_on_hold=left.on_hold,
            has_keys=key_set is not None and key_set.has_keys,
            is_paused=pausing.is_paused(order, refunding_store=asked.refunding_store, person=_person(asked.asker)),
            is_released=left.is_released or left.is_being_released,
            disputed_minor=known.disputed_minor,
            breaches=breaches_of(asked, money, book=book, now=now),
        )
    )
    return Judged(allowed=allowed(verdict, left_minor=left.left_minor), rulebook=book)


def breaches_of(asked: Asked, money: Money, *, book: Rulebook, now: datetime) -> tuple[Breach, ...]:
    """The rules that a refund of so much breaks now."""
    wish = asked.wish(money.amount_minor, money.currency, book=book, now=now)
    summed = summed_in(book, wish)
    sums = {pair: total for measure in summed for pair, total in _sums(asked, measure, money.currency, now).items()}
    return rules.broken(book.rules, wish, sums)


def breaches_of_release(
    asked: Asked, amount_minor: int, currency: str, *, book: Rulebook, now: datetime
) -> tuple[Breach, ...]:
    """The rules that a release of so much breaks: those of one refund. No money moves, so nothing adds up."""
    wish = asked.wish(amount_minor, currency, book=book, now=now)
    return rules.broken((rule for rule in book.rules if rule.measure not in rules.SUMS), wish, {})


def summed_in(book: Rulebook, wish: Wish) -> tuple[Measure, ...]:
    """What of this wish adds up with others, by the rules that fit it."""
    measured = {rule.measure for rule in rules.fitting(book.rules, wish)}
    return tuple(measure for measure in rules.SUMS if measure in measured)


def lock_sums(asked: Asked, money: Money, *, book: Rulebook) -> bool:
    """Until this transaction ends nobody else adds to a sum that this wish is judged by. False: it is judged by none.

    The order's account is locked already; the sums' locks come after it, and always in the same order.
    """
    wish = asked.wish(money.amount_minor, money.currency, book=book, now=clock.db_now())
    keys = sorted(_lock_key(measure, asked.alike(measure)) for measure in summed_in(book, wish))
    with connection.cursor() as cursor:
        for key in keys:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])
    return bool(keys)


def allowed(verdict: policy.Verdict, *, left_minor: int) -> policy.Allowed:
    """The verdict, where it is a yes. Raises Denied with policy's own sentence where it is not."""
    if isinstance(verdict, policy.Allowed):
        return verdict
    denied = Denied(verdict.sentence, code=verdict.code, field=verdict.field, left_minor=left_minor)
    denied.status = verdict.status
    raise denied


def _sums(asked: Asked, measure: Measure, currency: str, now: datetime) -> dict[tuple[Measure, Tier], int]:
    since = now - rules.WINDOW
    counted = Refund.objects.filter(**asked.alike(measure), kind=Kind.REFUND, currency=currency, accepted_at__gt=since)
    totals = {
        tier.value: Sum("amount_minor", filter=Q(needs_approval_of__in=without))
        for tier, without in _WITHOUT_A_YES_OF.items()
    }
    found = counted.exclude(state__in=FAILED).aggregate(**totals)
    return {(measure, tier): found[tier.value] or 0 for tier in Tier}


def _lock_key(measure: Measure, alike: Mapping[str, Any]) -> int:
    """64 signed bits, as an advisory lock takes them; the same in every process for what adds up together."""
    digest = hashlib.sha256(repr((measure.value, sorted(alike.items()))).encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _person(asker: Asker) -> User | None:
    return asker if isinstance(asker, User) else None
