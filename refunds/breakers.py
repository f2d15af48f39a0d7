"""Circuit breakers: a host that does not answer and a sales unit that Vipps refuses are left alone for a while."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from refunds import nudges
from refunds.deciding import in_words
from refunds.events import BreakerClosed, BreakerOpened
from refunds.gateway import Meaning, Outcome
from refunds.models import Breaker, Refund, WaitsFor
from stores import access, audit, clock
from stores.access import Right
from stores.actors import Actor
from stores.audit import Subject
from stores.errors import Conflict
from stores.models import SalesUnit, User

FAILURES_OF_A_HOST = 10
REFUSALS_OF_A_UNIT = 3
SHORTEST_REST = timedelta(seconds=30)
"""Longer than any call: what fails sooner after the breaker opened was already on its way, and nobody was let through since."""
LONGEST_REST = timedelta(minutes=1)
"""A call a minute costs nobody anything, and when Vipps is back customers wait no longer than that."""
UNIT_AGAIN_AFTER = timedelta(minutes=5)
_LONGEST_PROBLEM = 200


def is_shut_off(unit: SalesUnit, *, by: Actor) -> tuple[WaitsFor, datetime] | None:
    """What the unit's refunds have to wait for, and when to look again; None lets the asker through.

    After a host's rest one asker is let through to try; whoever comes next waits for what it finds, and one of them tries
    where it dies of it. Call it outside transactions, as all here: a breaker's row is shared by everybody.
    """
    now = clock.db_now()
    for breaker in _breakers_of(unit):
        if not breaker.is_open:
            continue
        if breaker.sales_unit_id is not None:
            if breaker.keys == _keys_of(unit):
                return WaitsFor.SALES_UNIT, now + UNIT_AGAIN_AFTER
            _close(breaker, "its keys were changed", unit, by=by)
        elif not Breaker.objects.filter(pk=breaker.pk, open_until__lte=now).update(open_until=now + SHORTEST_REST):
            return WaitsFor.HOST, max(breaker.open_until or now, now) + timedelta(seconds=1)
    return None


def is_left_alone(unit: SalesUnit) -> bool:
    """Whether refunds wait for Vipps or for the unit's keys: whoever is in no hurry does not ask, and is never who tries."""
    return any(breaker.is_open for breaker in _breakers_of(unit))


def left_alone(units: Collection[SalesUnit]) -> set[int]:
    """The same of many: the ids of those that are not asked."""
    is_open = Breaker.objects.filter(opened_at__isnull=False)
    hosts = set(is_open.filter(sales_unit=None).values_list("environment", flat=True))
    resting = set(is_open.filter(sales_unit__in=[unit.pk for unit in units]).values_list("sales_unit", flat=True))
    return {unit.pk for unit in units if unit.pk in resting or unit.environment in hosts}


def heed(unit: SalesUnit, outcome: Outcome | None, *, is_unknown: bool = False, by: Actor) -> None:
    """Count what a call came to; None is one that went well. `is_unknown`: Vipps answered that there is no such payment."""
    if outcome is not None and _is_hosts_failure(outcome):
        _count(unit, None, outcome, most=FAILURES_OF_A_HOST, by=by)
        return
    is_refused = outcome is not None and outcome.meaning is Meaning.MISCONFIGURED and not is_unknown
    if outcome is not None and is_refused:
        _count(unit, unit, outcome, most=REFUSALS_OF_A_UNIT, by=by)
    for breaker in _breakers_of(unit):
        if breaker.sales_unit_id is None or not is_refused:
            _close(breaker, "it answers again", unit, by=by)


def close_by_hand(breaker: Breaker, *, asker: User, by: Actor) -> None:
    """Headquarters has mended what was wrong. Raises Forbidden, Conflict where it is closed."""
    access.require(asker, Right.PAUSE_REFUNDS)
    company = access.company_of(asker)
    with transaction.atomic():
        if not Breaker.objects.filter(pk=breaker.pk, opened_at__isnull=False).update(**_closed()):
            raise Conflict(_("It is asked again already."), code="not_open")
        _wake(breaker)
        event = BreakerClosed(subject=str(breaker), because=f"{asker} says so")
        audit.record(event, by=by, company=company, store=None, about=Subject(type="breaker", id=str(breaker.pk)))


def _breakers_of(unit: SalesUnit) -> list[Breaker]:
    """The host's and the unit's own, where something has failed since all was well."""
    about = Q(sales_unit=unit) | Q(sales_unit=None, environment=unit.environment)
    return list(Breaker.objects.filter(about, failures__gt=0))


def _is_hosts_failure(outcome: Outcome) -> bool:
    is_silent = outcome.status is None or outcome.status >= 500
    return is_silent and outcome.meaning in (Meaning.UNSURE, Meaning.NOT_SENT)


def _count(unit: SalesUnit, subject: SalesUnit | None, outcome: Outcome, *, most: int, by: Actor) -> None:
    with transaction.atomic():
        own = {"environment": unit.environment, "sales_unit": subject}
        Breaker.objects.bulk_create([Breaker(**own)], ignore_conflicts=True)
        breaker = Breaker.objects.select_for_update(of=("self",)).get(**own)
        now = clock.db_now()
        if breaker.is_open and now < breaker.changed_at + SHORTEST_REST:
            return  # it was on its way when the breaker opened: one silence, not one more
        breaker.failures += 1
        breaker.changed_at = now
        breaker.problem = in_words(outcome)[:_LONGEST_PROBLEM]
        was_open = breaker.is_open
        if breaker.failures >= most:
            breaker.opened_at = breaker.opened_at or now
            breaker.open_until = now + _rest(breaker.failures - most) if subject is None else None
            breaker.keys = _keys_of(unit) if subject else ""
        breaker.save()
        if breaker.is_open and not was_open:
            event = BreakerOpened(subject=str(breaker), failures=breaker.failures, problem=breaker.problem)
            audit.record(event, by=by, company=unit.company, store=None, about=_about(breaker))


def _rest(further_failures: int) -> timedelta:
    doublings: int = 2 ** min(further_failures, 10)
    return min(SHORTEST_REST * doublings, LONGEST_REST)


def _close(breaker: Breaker, because: str, unit: SalesUnit, *, by: Actor) -> None:
    with transaction.atomic():
        was_open = Breaker.objects.filter(pk=breaker.pk, opened_at__isnull=False).update(**_closed())
        if not was_open:
            Breaker.objects.filter(pk=breaker.pk).update(**_closed())
            return
        _wake(breaker)
        event = BreakerClosed(subject=str(breaker), because=because)
        audit.record(event, by=by, company=unit.company, store=None, about=_about(breaker))


def _closed() -> dict[str, object]:
    return {"failures": 0, "opened_at": None, "open_until": None, "keys": "", "changed_at": clock.db_now()}


def _wake(breaker: Breaker) -> None:
    if breaker.sales_unit_id is not None:
        waiting = Refund.objects.filter(waits_for=WaitsFor.SALES_UNIT, order__sales_unit=breaker.sales_unit_id)
    else:
        waiting = Refund.objects.filter(waits_for=WaitsFor.HOST, order__sales_unit__environment=breaker.environment)
    nudges.make_due(waiting)


def _keys_of(unit: SalesUnit) -> str:
    """Which keys the unit is bound to now; it changes when they are replaced or the binding is."""
    return f"{unit.key_set_id}/{unit.key_set.version}" if unit.key_set else ""


def _about(breaker: Breaker) -> Subject:
    return Subject(type="breaker", id=str(breaker.pk))
