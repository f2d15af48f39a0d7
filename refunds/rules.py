"""Which limits a wish breaks, and who may allow it all the same. Pure: rules and sums in, breaches out."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from refunds.models import Measure, Tier

SUMS = (Measure.ORDER, Measure.CASHIER, Measure.TILL, Measure.STORE)
"""What adds up over the last 24 hours."""
WINDOW = timedelta(hours=24)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """More than `above_minor` needs a yes of `allowed_by`, where each condition that is named fits the wish.

    Minor units of `currency`; "" fits every currency (the limit is then zero). `role` "" is anybody, `store_id` None every
    store, `older_than_days` 0 any age, `reason` "" any reason.
    """

    measure: Measure
    above_minor: int
    allowed_by: Tier = Tier.STORE
    currency: str = ""
    role: str = ""
    store_id: int | None = None
    older_than_days: int = 0
    reason: str = ""
    without_receipt: bool = False


@dataclass(frozen=True, kw_only=True)
class Wish:
    """A refund or release that somebody wants: minor units, as what she asks, in which store, how long after the payment."""

    amount_minor: int
    currency: str
    role: str
    store_id: int
    age: timedelta
    reason: str = ""
    has_receipt: bool = True


@dataclass(frozen=True, kw_only=True)
class Breach:
    """A rule that the wish breaks. `reached_minor` is what was measured, this wish included."""

    measure: Measure
    allowed_by: Tier
    above_minor: int
    reached_minor: int
    currency: str
    role: str = ""
    older_than_days: int = 0
    reason: str = ""
    without_receipt: bool = False

    def as_facts(self) -> dict[str, Any]:
        """As the refund's row and the trail keep it."""
        return {name: value for name, value in asdict(self).items() if value}

    @classmethod
    def of_facts(cls, facts: Mapping[str, Any]) -> "Breach":
        """What `as_facts` kept."""
        known = {"above_minor": 0, "reached_minor": 0, "currency": "", **facts}
        return cls(**{**known, "measure": Measure(facts["measure"]), "allowed_by": Tier(facts["allowed_by"])})


Sums = Mapping[tuple[Measure, Tier], int]
"""What went back in the last 24 hours before this wish, by what is measured and whose yes it went without; minor units."""


def fitting(rules: Iterable[Rule], wish: Wish) -> tuple[Rule, ...]:
    """The rules whose conditions fit. One for the wish's own store takes the place of the same one for every store."""
    found = [rule for rule in rules if _fits(rule, wish)]
    of_the_store = {_key(rule) for rule in found if rule.store_id is not None}
    return tuple(rule for rule in found if rule.store_id is not None or _key(rule) not in of_the_store)


def broken(rules: Iterable[Rule], wish: Wish, sums: Sums) -> tuple[Breach, ...]:
    """Every rule that the wish breaks, in the rules' order."""
    breaches = []
    for rule in fitting(rules, wish):
        reached = wish.amount_minor
        if rule.measure in SUMS:
            reached += sums[rule.measure, rule.allowed_by]
        if reached > rule.above_minor:
            breaches.append(_breach(rule, wish, reached))
    return tuple(breaches)


def highest(breaches: Iterable[Breach]) -> Tier | None:
    """Whose yes is enough for all of them; None where none is needed."""
    tiers = {breach.allowed_by for breach in breaches}
    if Tier.HEADQUARTERS in tiers:
        return Tier.HEADQUARTERS
    return Tier.STORE if tiers else None


def _fits(rule: Rule, wish: Wish) -> bool:
    return (
        rule.currency in ("", wish.currency)
        and rule.role in ("", wish.role)
        and rule.store_id in (None, wish.store_id)
        and (rule.older_than_days == 0 or wish.age > timedelta(days=rule.older_than_days))
        and rule.reason in ("", wish.reason)
        and not (rule.without_receipt and wish.has_receipt)
    )


def _key(rule: Rule) -> tuple[object, ...]:
    """What makes two rules the same but for their store and their limit."""
    conditions = (rule.role, rule.older_than_days, rule.reason, rule.without_receipt)
    return (rule.measure, rule.allowed_by, rule.currency, *conditions)


def _breach(rule: Rule, wish: Wish, reached_minor: int) -> Breach:
    return Breach(
        measure=rule.measure,
        allowed_by=rule.allowed_by,
        above_minor=rule.above_minor,
        reached_minor=reached_minor,
        currency=wish.currency,
        role=rule.role,
        older_than_days=rule.older_than_days,
        reason=rule.reason,
        without_receipt=rule.without_receipt,
    )
