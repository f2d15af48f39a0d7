"""A store's day and its shifts: what was refunded there today, what has no end yet, and what one person tells the next."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import transaction
from django.db.models import Count, F, OuterRef, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce
from django.db.models.lookups import IsNull

from refunds import queries
from refunds.errors import NoteNotFound, OwnNote
from refunds.events import ShiftNoteLeft, ShiftTakenOver
from refunds.models import ENDS, Kind, Refund, ShiftNote, State, TakeOver
from refunds.notes import clean_note
from stores import access, audit, clock
from stores.access import Right
from stores.actors import Actor
from stores.audit import Subject
from stores.models import Store, User

SHOWN_FOR = timedelta(days=7)
"""So long the page shows what was left; the trail keeps it for good."""
MOST_NAMED = 50
_WITH = ("order__store", "requested_by", "requested_by_system__store")


class Standing(StrEnum):
    """What a refund of today's comes to so far."""

    REFUNDED = "refunded"
    UNDER_WAY = "under_way"
    NEEDS_SOMEBODY = "needs_somebody"


_STANDINGS = {
    State.REFUNDED: Standing.REFUNDED,
    **dict.fromkeys((State.QUEUED, State.SENDING, State.UNKNOWN), Standing.UNDER_WAY),
    **dict.fromkeys((State.AWAITING_APPROVAL, State.REVIEW), Standing.NEEDS_SOMEBODY),
}


@dataclass(frozen=True, kw_only=True)
class Total:
    """Minor units of one currency; what came to nothing, and releases, which move no money, are in none."""

    currency: str
    standing: Standing
    amount_minor: int
    count: int


def made_today(store: Store, *, now: datetime) -> QuerySet[Refund]:
    """Whatever was asked for in the store since midnight there, by whomever; newest first."""
    made = Refund.objects.filter(refunding_store=store, accepted_at__gte=queries.midnight_in(store, now))
    return made.select_related(*_WITH).order_by("-accepted_at")


def totals(refunds: QuerySet[Refund]) -> list[Total]:
    """Sums by currency and standing, the refunded of a currency first."""
    sums: dict[tuple[str, Standing], tuple[int, int]] = {}
    rows = refunds.order_by().filter(kind=Kind.REFUND, state__in=_STANDINGS).values("currency", "state")
    for row in rows.annotate(sum_minor=Sum("amount_minor"), count=Count("pk")):
        key = (row["currency"], _STANDINGS[State(row["state"])])
        amount_minor, count = sums.get(key, (0, 0))
        sums[key] = (amount_minor + row["sum_minor"], count + row["count"])
    order = list(Standing)
    return [
        Total(currency=currency, standing=standing, amount_minor=amount_minor, count=count)
        for (currency, standing), (amount_minor, count) in sorted(
            sums.items(), key=lambda it: (it[0][0], order.index(it[0][1]))
        )
    ]


def open_in(store: Store) -> QuerySet[Refund]:
    """What was asked for in the store, today or before, and has no end yet; the oldest first."""
    return Refund.objects.filter(refunding_store=store).exclude(state__in=ENDS).select_related(*_WITH).order_by("accepted_at")


def notes_of(store: Store, *, now: datetime) -> QuerySet[ShiftNote]:
    """What was left there within a week, what nobody has taken over first, then newest first, each with who took over."""
    left = ShiftNote.objects.filter(store=store, left_at__gt=now - SHOWN_FOR)
    return left.select_related("left_by", "take_over__taken_by").order_by(IsNull(F("take_over"), True).desc(), "-left_at")


def count_untaken(user: User, *, store: OuterRef) -> Coalesce:
    """How many notes wait for somebody like her to take over, in the store that an outer query names."""
    left = ShiftNote.objects.filter(store=store, left_at__gt=clock.sql_now() - SHOWN_FOR, take_over=None).exclude(left_by=user)
    return Coalesce(Subquery(left.order_by().values(every=Value(1)).annotate(count=Count("pk")).values("count")), 0)


def leave_note(store: Store, text: str, *, press: str, user: User, by: Actor) -> ShiftNote:
    """Keep what the next person has to know; a second press of the same page finds the first one's note.

    Raises Forbidden and ReasonNeeded.
    """
    access.require(user, Right.SEE_STORE_REFUNDS, store=store)
    words = clean_note(text)
    with transaction.atomic():
        kept = {"store": store, "text": words}
        note, is_new = ShiftNote.objects.get_or_create(left_by=user, press=press, defaults=kept)
        if is_new:
            named = [str(refund) for refund in open_in(store)[:MOST_NAMED]]
            _record(ShiftNoteLeft(code=store.code, note=words, refunds=named), note, store, by)
    return note


def take_over(store: Store, note_id: uuid.UUID, *, user: User, by: Actor) -> None:
    """Keep that she has read it and goes on from there; whoever is second changes nothing. Raises as `leave_note`,
    NoteNotFound and OwnNote."""
    access.require(user, Right.SEE_STORE_REFUNDS, store=store)
    note = ShiftNote.objects.filter(pk=note_id, store=store).select_related("left_by").first()
    if note is None:
        raise NoteNotFound
    if note.left_by_id == user.pk:
        raise OwnNote
    with transaction.atomic():
        _taken, is_first = TakeOver.objects.get_or_create(note=note, defaults={"taken_by": user})
        if is_first:
            _record(ShiftTakenOver(code=store.code, left_by=str(note.left_by)), note, store, by)


def _record(event: ShiftNoteLeft | ShiftTakenOver, note: ShiftNote, store: Store, by: Actor) -> None:
    about = Subject(type="shift_note", id=str(note.pk))
    audit.record(event, by=by, company=store.company, store=store, about=about)
