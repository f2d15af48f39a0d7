"""Which registrations are to be looked at now: a row for each sales unit with keys of its own, and for each partner.

The row is the work: whoever finds it due moves it on first, so two passes at once, a crash or a dead broker harm nothing.
"""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from stores import clock, registrations, sessions
from stores.actors import Actor
from stores.errors import HubError
from stores.models import KeySet, KeySetKind, RegistrationWatch, SalesUnit, WebhookRegistration
from stores.registering.looking import Look, rows_of
from stores.vipps.errors import Unauthorized, VippsError

logger = logging.getLogger(__name__)

LOOK_EVERY = timedelta(hours=6)
"""Vipps deletes a registration only when its address has been dead for two weeks, or somebody does it by hand."""
_LOOK_SOON = timedelta(minutes=11)
"""After one was made: long enough for Vipps to list it, and for it to be missed."""
PASS_SECONDS = 30.0
_LEASE = timedelta(minutes=5)
_BACK_OFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60))
_BATCH = 50
_REFUNDABLE_FOR = timedelta(days=365)
"""A unit that no store sells through any more is heard of as long as what it sold may be refunded."""
_NOT_OURS = "the sales unit has no keys of its own any more, or was closed long ago"


def keep_registrations(*, by: Actor) -> int:
    """One pass over the watches that are due; gives how many were looked at. Does nothing while PUBLIC_URL is empty."""
    if not settings.PUBLIC_URL:
        return 0
    _begin_watches()
    _hurry_those_without()
    ends_at, looked = clock.monotonic() + PASS_SECONDS, 0
    due = RegistrationWatch.objects.filter(next_look_at__lte=clock.db_now()).order_by("next_look_at")
    for watch in due.select_related("sales_unit__company", "sales_unit__key_set", "key_set__company")[:_BATCH]:
        if clock.monotonic() >= ends_at:
            break
        looked += _take_and_look(watch, by=by)
    return looked


def wanted_units() -> QuerySet[SalesUnit]:
    """With keys of their own, and a store that sells through them or did within the time of refunds."""
    since = clock.db_now() - _REFUNDABLE_FOR
    sells = Q(store_units__valid_until=None) | Q(store_units__valid_until__gt=since)
    return SalesUnit.objects.filter(sells, key_set__kind=KeySetKind.OWN, key_set__version__gt=0).distinct()


def wanted_partners() -> QuerySet[KeySet]:
    """With keys, and a sales unit that is bound to them."""
    return KeySet.objects.filter(kind=KeySetKind.PARTNER, version__gt=0, sales_units__isnull=False).distinct()


def _begin_watches() -> None:
    units, partners = wanted_units().filter(registration_watch=None), wanted_partners().filter(registration_watch=None)
    RegistrationWatch.objects.bulk_create(
        [
            *(RegistrationWatch(company_id=unit.company_id, sales_unit=unit) for unit in units),
            *(RegistrationWatch(company_id=key_set.company_id, key_set=key_set) for key_set in partners),
        ],
        ignore_conflicts=True,
    )


def _hurry_those_without() -> None:
    """Keys were entered, or the hub has moved to another address: nobody waits six hours for the first registration."""
    now = clock.db_now()
    at_our_address = WebhookRegistration.objects.filter(
        Q(sales_unit=OuterRef("sales_unit")) | Q(key_set=OuterRef("key_set")),
        url__startswith=f"{settings.PUBLIC_URL}{registrations.PATH}",
        confirmed_at__isnull=False,
        ended_at=None,
    )
    wanted = Q(sales_unit__in=wanted_units()) | Q(key_set__in=wanted_partners())
    resting = RegistrationWatch.objects.filter(wanted, failures=0, next_look_at__gt=now + _LEASE)
    resting.exclude(Exists(at_our_address)).update(next_look_at=now)


def _take_and_look(watch: RegistrationWatch, *, by: Actor) -> bool:
    """False where somebody else was first."""
    now = clock.db_now()
    leased_until = now + _LEASE
    if not RegistrationWatch.objects.filter(pk=watch.pk, next_look_at__lte=now).update(next_look_at=leased_until):
        return False
    subject = watch.sales_unit or watch.key_set
    if subject is None:
        raise RuntimeError("a watch has a sales unit or a key set")
    look, problem = None, ""
    try:
        look = _look(subject, by=by)
    except HubError as error:
        problem = f"{error.code}: {error.sentence}"
    except VippsError as error:
        problem = str(error)
        if isinstance(error, Unauthorized):
            _forget_keys(subject)
    _finish(watch, leased_until, look, problem=problem)
    return True


def _look(subject: SalesUnit | KeySet, *, by: Actor) -> Look | None:
    """What was seen and done; None where there was nothing to ask."""
    if _is_wanted(subject):
        look = Look(subject, by=by)
        look.delete_what_is_ended()
        look.keep_one()
        return look
    left = rows_of(subject).filter(gone_at=None).exclude(provider_id="", ended_at__isnull=False)
    for row in left.filter(ended_at=None):
        registrations.end_registration(row, reason=_NOT_OURS, by=by)
    if not left.exists():
        return None
    look = Look(subject, by=by)
    look.delete_what_is_ended()
    return look


def _is_wanted(subject: SalesUnit | KeySet) -> bool:
    if isinstance(subject, SalesUnit):
        return wanted_units().filter(pk=subject.pk).exists()
    return wanted_partners().filter(pk=subject.pk).exists()


def _finish(watch: RegistrationWatch, leased_until: datetime, look: Look | None, *, problem: str) -> None:
    """What the look came to. Where somebody asked for the next one meanwhile, that stays."""
    now = clock.db_now()
    row = RegistrationWatch.objects.filter(pk=watch.pk)
    if problem:
        logger.warning("registrations for %s: %s", watch, problem)
        wait = _BACK_OFF[min(watch.failures, len(_BACK_OFF) - 1)]
        row.update(failures=watch.failures + 1, problem=problem[:300])
    else:
        wait = _LOOK_SOON if look is not None and look.has_registered else LOOK_EVERY
        listed = {} if look is None else {"last_listed_at": now, "at_vipps": look.at_vipps}
        row.update(failures=0, problem="", **listed)
    row.filter(next_look_at=leased_until).update(next_look_at=now + wait)


def _forget_keys(subject: SalesUnit | KeySet) -> None:
    """Vipps refused them: the next look opens them anew, as they then are."""
    key_set = subject.key_set if isinstance(subject, SalesUnit) else subject
    if key_set is not None:
        sessions.forget(key_set.pk)
