"""After a restore: every order touched near that time is read at Vipps before anything is sent again.

What the backup did not hold is known at Vipps by our derived keys: refunds whose rows are there are settled by them, and
those without a row are counted as orphans and hold their order for people.
"""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from refunds import ledger, reconciliation
from refunds.events import OrderHeld, RestoreDeclared, RestoreEnded
from refunds.models import ENDS, RestoreEpoch, RestoreLook
from stores import audit, clock, sessions
from stores.actors import Actor
from stores.audit import Subject
from stores.errors import Conflict, HubError, Invalid
from stores.models import Company, Order
from stores.vipps import payments
from stores.vipps.errors import VippsError

MARGIN = timedelta(hours=1)
"""Orders touched this long before the restore point are read too: clocks differ, and commits take their time."""
QUIET_TIME = timedelta(minutes=15)
TRIES = 5
_BATCH = 100
_READING_SECONDS = 20.0
_AGAIN = timedelta(seconds=30)
_LONGEST_REASON = 200


def declare_restore(company: Company, *, restored_to: datetime, reason: str, declared_by: str, by: Actor) -> RestoreEpoch:
    """Hold every send of the chain back, and list the orders to be read. Raises Invalid, Conflict while one is checked.

    Declare it before the workers of the restored hub are started: they send nothing from then on until it has ended.
    """
    why = " ".join(reason.split())
    if not why or len(why) > _LONGEST_REASON:
        raise Invalid(_("Say why, in at most 200 characters."), field="reason")
    if restored_to > clock.db_now():
        raise Invalid(_("The database cannot have been restored to a time that is still to come."), field="restored_to")
    epoch = RestoreEpoch(company=company, restored_to=restored_to, reason=why, declared_by=declared_by)
    try:
        with transaction.atomic(durable=True):
            epoch.save()
            touched = _touched(company, since=restored_to - MARGIN)
            looks = [RestoreLook(epoch=epoch, order_id=order_id) for order_id in touched]
            RestoreLook.objects.bulk_create(looks, batch_size=1000)
            event = RestoreDeclared(restored_to=restored_to.isoformat(), orders=len(touched), reason=why)
            audit.record(event, by=by, company=company, store=None, about=_about(epoch))
    except IntegrityError as error:
        if "one_restore_at_a_time" not in str(error):
            raise
        raise Conflict(_("An earlier restore is still being checked."), code="restore_open") from None
    return epoch


def check_restores(*, by: Actor) -> int:
    """For the sweep: read what is due, begin the quiet time, end it; gives how many orders were read."""
    read = 0
    until = clock.monotonic() + _READING_SECONDS
    for epoch in RestoreEpoch.objects.filter(ended_at=None).select_related("company"):
        due = epoch.looks.filter(read_at=None, due_at__lte=clock.db_now()).select_related(
            "order__store__company", "order__sales_unit__key_set"
        )
        for look in due.order_by("due_at")[:_BATCH]:
            if clock.monotonic() >= until:
                return read
            read += _look(look, by=by)
        _go_on(epoch, by=by)
    return read


def _touched(company: Company, *, since: datetime) -> list[int]:
    """Orders with an open refund, or anything of ours or of Vipps that moved since then."""
    near = (
        Q(refunds__moved_at__gte=since)
        | Q(refunds__attempts__intended_at__gte=since)
        | Q(confirmed_at__gte=since)
        | (Q(refunds__isnull=False) & ~Q(refunds__state__in=ENDS))
    )
    return list(Order.objects.filter(near, store__company=company).order_by("pk").distinct().values_list("pk", flat=True))


def _look(look: RestoreLook, *, by: Actor) -> bool:
    order = look.order
    try:
        session = sessions.open_session(order.sales_unit, by=by, why=f"restore: order {order.reference}")
        reconciliation.read_order(session, order, with_events=True, by=by)
    except VippsError as error:
        return _not_read(look, "payment_not_found" if payments.is_unknown(error) else error.code or type(error).__name__, by=by)
    except HubError as error:
        return _not_read(look, error.code, by=by)
    RestoreLook.objects.filter(pk=look.pk).update(read_at=clock.db_now(), tries=look.tries + 1, problem="")
    return True


def _not_read(look: RestoreLook, problem: str, *, by: Actor) -> bool:
    """Try again later; an order that cannot be read is put on hold, so that the rest of the chain need not wait for it."""
    tries, order, now = look.tries + 1, look.order, clock.db_now()
    row = RestoreLook.objects.filter(pk=look.pk)
    if tries < TRIES:
        row.update(tries=tries, problem=problem[:60], due_at=now + _AGAIN)
        return False
    with transaction.atomic(durable=True):
        ledger.open_account(order)
        ledger.locked_account(order.pk)
        because = "it could not be read at Vipps after a restore"
        ledger.hold(order, because)
        row.update(tries=tries, problem=problem[:60], read_at=now)
        event = OrderHeld(reference=order.reference, because=because)
        audit.record_about_order(event, order, by=by)
    return False


def _go_on(epoch: RestoreEpoch, *, by: Actor) -> None:
    now = clock.db_now()
    if epoch.looks.filter(read_at=None).exists():
        return
    if epoch.quiet_until is None:
        RestoreEpoch.objects.filter(pk=epoch.pk, quiet_until=None).update(quiet_until=now + QUIET_TIME)
    elif epoch.quiet_until <= now:
        _end(epoch, now, by=by)


def _end(epoch: RestoreEpoch, now: datetime, *, by: Actor) -> None:
    with transaction.atomic():
        if not RestoreEpoch.objects.filter(pk=epoch.pk, ended_at=None).update(ended_at=now):
            return
        held = epoch.looks.exclude(problem="").count()
        event = RestoreEnded(
            restored_to=epoch.restored_to.isoformat(), read=epoch.looks.count() - held, held=held
        )
        audit.record(event, by=by, company=epoch.company, store=None, about=_about(epoch))


def _about(epoch: RestoreEpoch) -> Subject:
    return Subject(type="restore", id=str(epoch.pk))
