"""Differences are rows with an owner: opened and closed by what is seen, explained by people, and each told in the trail."""

from django.db import transaction

from refunds.balancing import Found, Judgement
from refunds.errors import NoteNeeded, NotWaiting
from refunds.events import DifferenceAssigned, DifferenceExplained, DifferenceGone, DifferenceOpened
from refunds.models import Closing, Difference
from stores import access, audit, clock
from stores.access import Right
from stores.actors import Actor
from stores.models import Order, User

_LONGEST_NOTE = 300


def keep(order: Order, judgement: Judgement, *, by: Actor) -> int:
    """Open what is new, refresh what still stands, close what is gone; how many are open now.

    The caller holds the order's account locked, so that one of two looks comes first.
    """
    found: dict[str, Found] = {each.kind: each for each in judgement.found}
    open_now = {each.kind: each for each in Difference.objects.filter(order=order, closed_at=None)}
    for kind, difference in open_now.items():
        if kind in found:
            _refresh(difference, found.pop(kind))
        elif kind in judgement.judged:
            _close_as_gone(difference, by=by)
    for each in found.values():
        if not _is_explained(order, each):
            _open(order, each, by=by)
    return Difference.objects.filter(order=order, closed_at=None).count()


def take(difference: Difference, *, asker: User, by: Actor) -> None:
    """The asker makes it hers. Raises Forbidden, NotWaiting where it is closed."""
    _require(asker, difference)
    with transaction.atomic():
        if not Difference.objects.filter(pk=difference.pk, closed_at=None).update(owner=asker):
            raise NotWaiting
        audit.record_about_order(DifferenceAssigned(**_facts(difference), owner=str(asker)), difference.order, by=by)


def explain(difference: Difference, note: str, *, asker: User, by: Actor) -> None:
    """A person closes it and says why. Raises Forbidden, NoteNeeded, NotWaiting."""
    _require(asker, difference)
    words = _words(note)
    with transaction.atomic():
        closed = Difference.objects.filter(pk=difference.pk, closed_at=None).update(
            closed_at=clock.db_now(), closing=Closing.EXPLAINED, closed_by=asker, note=words
        )
        if not closed:
            raise NotWaiting
        audit.record_about_order(DifferenceExplained(**_facts(difference), note=words), difference.order, by=by)


def _words(note: str) -> str:
    words = " ".join(note.split())
    if not 1 <= len(words) <= _LONGEST_NOTE:
        raise NoteNeeded
    return words


def _require(asker: User, difference: Difference) -> None:
    access.require(asker, Right.RECONCILE, store=difference.order.store)


def _refresh(difference: Difference, found: Found) -> None:
    Difference.objects.filter(pk=difference.pk).update(last_seen_at=clock.db_now(), **_columns(found))


def _close_as_gone(difference: Difference, *, by: Actor) -> None:
    Difference.objects.filter(pk=difference.pk).update(closed_at=clock.db_now(), closing=Closing.GONE)
    audit.record_about_order(DifferenceGone(**_facts(difference)), difference.order, by=by)


def _open(order: Order, found: Found, *, by: Actor) -> None:
    now = clock.db_now()
    Difference.objects.create(order=order, kind=found.kind, found_at=now, last_seen_at=now, **_columns(found))
    opened = DifferenceOpened(
        reference=order.reference,
        kind=found.kind.value,
        currency=order.currency,
        hub_minor=found.hub_minor,
        events_minor=found.events_minor,
        payment_minor=found.payment_minor,
        settled_minor=found.settled_minor,
    )
    audit.record_about_order(opened, order, by=by)


def _is_explained(order: Order, found: Found) -> bool:
    """Whether a person has explained just these amounts before, and nothing else was seen since."""
    last = Difference.objects.filter(order=order, kind=found.kind).order_by("-found_at", "-pk").first()
    return last is not None and last.closing == Closing.EXPLAINED and last.amounts == tuple(_sides(found).values())


def _sides(found: Found) -> dict[str, int | None]:
    return {
        "hub_minor": found.hub_minor,
        "events_minor": found.events_minor,
        "payment_minor": found.payment_minor,
        "settled_minor": found.settled_minor,
    }


def _columns(found: Found) -> dict[str, int | str | None]:
    return {**_sides(found), "detail": found.detail}


def _facts(difference: Difference) -> dict[str, str]:
    return {"reference": difference.order.reference, "kind": str(difference.kind)}
