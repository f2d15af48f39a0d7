"""What other stores refund of a store's own sales: its settlement is debited, so it is told."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Count, F, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, Greatest

from refunds.models import ENDS, ElsewhereSeen, Kind, Refund, State
from stores import clock
from stores.models import Store, User

SHOWN_DAYS = 30
NEW_FOR = timedelta(days=7)
"""To who has no mark yet, what is older is no news."""
MOST_COUNTED = 100
_STILL_COMING = timedelta(seconds=5)
"""A refund shows when its transaction commits, a little after its time: a mark never reaches nearer to now than this."""
_WITH = ("order__store", "refunding_store")


@dataclass(frozen=True, kw_only=True)
class Total:
    """What was refunded elsewhere in one currency. Minor units."""

    currency: str
    amount_minor: int
    count: int


def refunded(store: Store, *, day: date | None, now: datetime) -> QuerySet[Refund]:
    """What was refunded elsewhere on `day` there, or in the last 30 days; newest first."""
    if day is None:
        since, until = now - timedelta(days=SHOWN_DAYS), None
    else:
        since = datetime.combine(day, time.min, ZoneInfo(store.time_zone))
        until = datetime.combine(day + timedelta(days=1), time.min, ZoneInfo(store.time_zone))
    found = _elsewhere(store).filter(state=State.REFUNDED, ended_at__gte=since)
    if until is not None:
        found = found.filter(ended_at__lt=until)
    return found.select_related(*_WITH).order_by("-ended_at")


def totals_of(refunds: Iterable[Refund]) -> list[Total]:
    """The same of refunds that are read already."""
    amounts: dict[str, list[int]] = {}
    for refund in refunds:
        amounts.setdefault(refund.currency, []).append(refund.amount_minor)
    found = [Total(currency=currency, amount_minor=sum(of), count=len(of)) for currency, of in amounts.items()]
    return sorted(found, key=lambda total: -total.amount_minor)


def on_its_way(store: Store) -> QuerySet[Refund]:
    """What will be debited when it comes through; oldest first."""
    return _elsewhere(store).exclude(state__in=ENDS).filter(kind=Kind.REFUND).select_related(*_WITH).order_by("accepted_at")


def totals(refunds: QuerySet[Refund]) -> list[Total]:
    """The sum of each currency, the largest first."""
    rows = refunds.order_by().values("currency").annotate(sum_minor=Sum("amount_minor"), count=Count("pk"))
    return [
        Total(currency=row["currency"], amount_minor=row["sum_minor"], count=row["count"])
        for row in rows.order_by("-sum_minor")
    ]


def seen_until(user: User, store: Store, *, now: datetime) -> datetime:
    """Her mark in that store."""
    mark = ElsewhereSeen.objects.filter(user=user, store=store).values_list("until", flat=True).first()
    return mark or now - NEW_FOR


def count_unseen(user: User, store: Store) -> int:
    """How many are news to her, at most `MOST_COUNTED`. One query by an index: every page asks."""
    mark = Subquery(ElsewhereSeen.objects.filter(user=user, store=store).values("until")[:1])
    news = _elsewhere(store).filter(state=State.REFUNDED, ended_at__gt=Coalesce(mark, clock.sql_now() - NEW_FOR))
    return news.order_by()[:MOST_COUNTED].count()


def mark_seen(user: User, store: Store, *, until: datetime) -> None:
    """Move her mark on to `until`, never back and never up to the very moment."""
    until = min(until, clock.db_now() - _STILL_COMING)
    ElsewhereSeen.objects.bulk_create([ElsewhereSeen(user=user, store=store, until=until)], ignore_conflicts=True)
    ElsewhereSeen.objects.filter(user=user, store=store).update(until=Greatest(F("until"), until))


def _elsewhere(store: Store) -> QuerySet[Refund]:
    return Refund.objects.filter(origin_store=store).exclude(refunding_store=store)
