"""The brake: headquarters stops refunds everywhere, of a sales unit, of a store or of a person, and lets them go on."""

from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from refunds import nudges
from refunds.events import RefundsPaused, RefundsResumed
from refunds.models import Pause, PauseScope, Refund, WaitsFor
from stores import access, audit, clock
from stores.access import Right
from stores.actors import Actor
from stores.audit import Subject
from stores.errors import Conflict, Invalid
from stores.models import Company, Order, SalesUnit, Store, User

_LONGEST_REASON = 200


@dataclass(frozen=True, kw_only=True)
class Reach:
    """What a pause stops; nothing named stops every refund of the chain, else exactly one is named."""

    sales_unit: SalesUnit | None = None
    store: Store | None = None
    cashier: User | None = None

    @property
    def scope(self) -> PauseScope:
        """Raises Invalid where more than one is named."""
        named = [
            scope
            for scope, subject in (
                (PauseScope.SALES_UNIT, self.sales_unit),
                (PauseScope.STORE, self.store),
                (PauseScope.CASHIER, self.cashier),
            )
            if subject is not None
        ]
        if len(named) > 1:
            raise Invalid(_("A pause stops one thing: a sales unit, a store, a person, or everything."), field="scope")
        return named[0] if named else PauseScope.EVERYTHING


def pause(company: Company, reach: Reach, *, reason: str, asker: User, by: Actor) -> Pause:
    """Stop refunds from this moment; what a worker has in its hands is finished. Raises Forbidden, Invalid, Conflict."""
    access.require(asker, Right.PAUSE_REFUNDS)
    _check_own(company, reach, asker)
    row = Pause(
        company=company,
        scope=reach.scope,
        sales_unit=reach.sales_unit,
        store=reach.store,
        cashier=reach.cashier,
        reason=_checked(reason),
        paused_by=str(asker),
    )
    try:
        with transaction.atomic():
            row.save()
            event = RefundsPaused(scope=row.scope, subject=row.subject, reason=row.reason)
            _record(event, row, by=by)
    except IntegrityError as error:
        if "_paused_once" not in str(error):
            raise
        raise Conflict(_("That is paused already."), code="already_paused") from None
    return row


def resume(row: Pause, *, reason: str, asker: User, by: Actor) -> Pause:
    """Let what waited go on. Raises Forbidden, Invalid, Conflict where it went on before."""
    access.require(asker, Right.PAUSE_REFUNDS)
    if row.company_id != access.company_of(asker).pk:
        raise Invalid(_("That is a pause of another chain."))
    why = _checked(reason)
    with transaction.atomic():
        is_open = Pause.objects.filter(pk=row.pk, resumed_at=None)
        if not is_open.update(resumed_at=clock.db_now(), resumed_by=str(asker)):
            raise Conflict(_("That is not paused any more."), code="not_paused")
        nudges.make_due(Refund.objects.filter(refunding_store__company=row.company_id, waits_for=WaitsFor.PAUSE))
        _record(RefundsResumed(scope=row.scope, subject=row.subject, reason=why), row, by=by)
    row.refresh_from_db()
    return row


def over_refund() -> Exists:
    """For a query of refunds: whether a pause stops the refund now."""
    reaches = (
        Q(scope=PauseScope.EVERYTHING)
        | Q(sales_unit=OuterRef("order__sales_unit"))
        | Q(store=OuterRef("refunding_store"))
        | Q(store=OuterRef("order__store"))
        | Q(cashier=OuterRef("requested_by"))
    )
    return Exists(Pause.objects.filter(reaches, company=OuterRef("refunding_store__company"), resumed_at=None))


def is_paused(order: Order, *, refunding_store: Store, person: User | None) -> bool:
    """Whether a pause stops a refund of this order by that store and person."""
    reaches = Q(scope=PauseScope.EVERYTHING) | Q(sales_unit=order.sales_unit) | Q(store__in=(order.store, refunding_store))
    if person is not None:
        reaches |= Q(cashier=person)
    return Pause.objects.filter(reaches, company=order.store.company, resumed_at=None).exists()


def _check_own(company: Company, reach: Reach, asker: User) -> None:
    is_foreign = any(subject is not None and subject.company_id != company.pk for subject in (reach.sales_unit, reach.store))
    if is_foreign or company != access.company_of(asker):
        raise Invalid(_("That belongs to another chain."), field="scope")


def _checked(reason: str) -> str:
    words = " ".join(reason.split())
    if not words or len(words) > _LONGEST_REASON:
        raise Invalid(_("Say why, in at most 200 characters."), field="reason")
    return words


def _record(event: RefundsPaused | RefundsResumed, row: Pause, *, by: Actor) -> None:
    audit.record(event, by=by, company=row.company, store=None, about=Subject(type="pause", id=str(row.pk)))
