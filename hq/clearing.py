"""Clearing: what stores owe each other, because one took the goods back and another one's settlement was debited."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Count, F, Sum
from django.utils import timezone

from refunds.models import Refund, State
from stores.models import Company


@dataclass(frozen=True, kw_only=True)
class Period:
    """Whole days in headquarters' time zone, both included."""

    first: date
    last: date

    @property
    def starts_at(self) -> datetime:
        return _midnight(self.first)

    @property
    def ends_before(self) -> datetime:
        return _midnight(self.last + timedelta(days=1))


@dataclass(frozen=True, kw_only=True, order=True)
class Party:
    """A store as finance names it."""

    code: str
    name: str

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One direction between two stores, minor units of `currency`.

    `refunding` took goods back for `amount_minor`, which left the settlement of `origin`; so that is what it owes.
    `back_minor` is the same the other way round; `net_minor` what remains, negative where `origin` owes more.
    """

    refunding: Party
    origin: Party
    currency: str
    count: int
    amount_minor: int
    back_minor: int

    @property
    def net_minor(self) -> int:
        return self.amount_minor - self.back_minor


@dataclass(frozen=True, kw_only=True)
class Position:
    """One store against all others, minor units of `currency`; `net_minor` is negative where it owes."""

    store: Party
    currency: str
    owed_minor: int
    owes_minor: int

    @property
    def net_minor(self) -> int:
        return self.owed_minor - self.owes_minor


@dataclass(frozen=True, kw_only=True)
class Clearing:
    """What one company's stores owe each other for one period."""

    period: Period
    pairs: tuple[Pair, ...]
    positions: tuple[Position, ...]


def this_month() -> Period:
    """From the first of the month until today."""
    today = timezone.localdate()
    return Period(first=today.replace(day=1), last=today)


def clearing_of(company: Company, period: Period) -> Clearing:
    """Refunds that Vipps confirmed within the period, where the refunding store was not the one that sold; one query."""
    moved = _sums(company, period)
    pairs = tuple(
        Pair(
            refunding=refunding,
            origin=origin,
            currency=currency,
            count=count,
            amount_minor=amount_minor,
            back_minor=moved.get((origin, refunding, currency), (0, 0))[1],
        )
        for (refunding, origin, currency), (count, amount_minor) in sorted(moved.items())
    )
    return Clearing(period=period, pairs=pairs, positions=tuple(_positions(pairs)))


def _sums(company: Company, period: Period) -> dict[tuple[Party, Party, str], tuple[int, int]]:
    """Count and sum by refunding store, origin store and currency."""
    rows = (
        Refund.objects.filter(
            state=State.REFUNDED,
            ended_at__gte=period.starts_at,
            ended_at__lt=period.ends_before,
            order__store__company=company,
        )
        .exclude(refunding_store=F("order__store"))
        .values_list(
            *("refunding_store__code", "refunding_store__name", "order__store__code", "order__store__name", "currency")
        )
        .annotate(count=Count("pk"), amount_minor=Sum("amount_minor"))
        .order_by()
    )
    return {
        (Party(code=code, name=name), Party(code=origin_code, name=origin_name), currency): (count, amount_minor)
        for code, name, origin_code, origin_name, currency, count, amount_minor in rows
    }


def _positions(pairs: Iterable[Pair]) -> list[Position]:
    owed: dict[tuple[Party, str], int] = {}
    owes: dict[tuple[Party, str], int] = {}
    for pair in pairs:
        debtor, creditor = (pair.refunding, pair.currency), (pair.origin, pair.currency)
        owes[debtor] = owes.get(debtor, 0) + pair.amount_minor
        owed[creditor] = owed.get(creditor, 0) + pair.amount_minor
    return [
        Position(
            store=store, currency=currency, owed_minor=owed.get((store, currency), 0), owes_minor=owes.get((store, currency), 0)
        )
        for store, currency in sorted(owed.keys() | owes.keys())
    ]


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
