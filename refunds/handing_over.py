"""The paper for the customer: which one a refund has now, its number, and every print of it counted and in the trail."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from django.db import transaction
from django.db.models import Max

from refunds.errors import NothingToHandOver
from refunds.events import PaperCopied, PaperHandedOver
from refunds.models import FAILED, Kind, Paper, PaperKind, Refund, State
from stores import audit, clock
from stores.actors import Actor
from stores.audit import Subject
from stores.models import Store

_ONE_PRESS = timedelta(seconds=15)
"""A second press of the same page within this time is the first one's: a double click, or an answer that was lost."""


class Form(StrEnum):
    """How it leaves the hub."""

    PRINT = "print"
    PDF = "PDF"


@dataclass(frozen=True, kw_only=True)
class HandedOver:
    """One print of a paper. `copy` is 0 for the original, 1 for the first copy."""

    paper: Paper
    copy: int


def kind_of_paper(refund: Refund) -> PaperKind | None:
    """Which paper the customer can have now; None where nothing was refunded and nothing will be."""
    if refund.state in FAILED:
        return None
    if refund.state in (State.REFUNDED, State.RELEASED):
        return PaperKind.RELEASE if refund.kind == Kind.RELEASE else PaperKind.RECEIPT
    return PaperKind.REQUEST


def hand_over(refund: Refund, *, form: Form, press: str, by: Actor) -> HandedOver:
    """Count one more print of the refund's paper, giving it its number with the first.

    `refund` with its order's store and its refunding store; `press` is the key of the page that asks. Raises
    NothingToHandOver.
    """
    with transaction.atomic():
        # One print at a time in a store: so the numbers have no gap, and of two at once one is the copy.
        store = Store.objects.select_for_update(no_key=True).get(pk=refund.refunding_store_id)
        kind = kind_of_paper(Refund.objects.get(pk=refund.pk))
        if kind is None:
            raise NothingToHandOver
        paper = Paper.objects.filter(refund=refund, kind=kind).first()
        if paper is None:
            paper = Paper(refund=refund, kind=kind, store=store, serial=_next_serial(store, kind))
        if not _is_the_same_press(paper, press):
            paper.prints += 1
            paper.printed_at, paper.last_press = clock.db_now(), press
            paper.save()
            _record(refund, paper, form=form, by=by)
    return HandedOver(paper=paper, copy=paper.copies)


def _is_the_same_press(paper: Paper, press: str) -> bool:
    if not press or paper.last_press != press or paper.printed_at is None:
        return False
    return clock.db_now() - paper.printed_at < _ONE_PRESS


def _next_serial(store: Store, kind: PaperKind) -> int | None:
    if kind != PaperKind.RECEIPT:
        return None
    last: int | None = Paper.objects.filter(store=store).aggregate(last=Max("serial"))["last"]
    return (last or 0) + 1


def _record(refund: Refund, paper: Paper, *, form: Form, by: Actor) -> None:
    told = {"paper": paper.kind, "number": paper.number or str(refund), "refund": str(refund), "form": form.value}
    audit.record(
        PaperCopied(**told, copy=paper.copies) if paper.copies else PaperHandedOver(**told),
        by=by,
        company=refund.refunding_store.company,
        store=refund.order.store,
        about=Subject(type="refund", id=str(refund.pk)),
        refunding_store=refund.refunding_store,
    )
