"""PINs for tills: a person who has signed in in full chooses one, and shows with it at a till that it is she.

A PIN never signs anybody in: it goes on with a sign-in at the same till, or stands for a manager beside it. Wrong ones in a
row close it and then end it; each is in the trail beside the name of whoever was signed in at that till.
"""

import re
from collections.abc import Iterable
from datetime import timedelta

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from stores import access, audit, clock, people
from stores.actors import Actor
from stores.audit import Subject
from stores.errors import Forbidden, Invalid
from stores.events import PinChosen, PinEnded, PinGiven, PinRefused, PinUse, TrailEvent
from stores.models import Company, TillPin, User

SHORTEST, LONGEST = 6, 10
CLOSES_AFTER, ENDS_AFTER = 5, 15
"""Wrong ones in a row: so many close it for a while, so many for good."""
CLOSED_FOR = timedelta(minutes=15)
_DIGITS = re.compile(rf"[0-9]{{{SHORTEST},{LONGEST}}}", re.ASCII)
_FEWEST_DIFFERENT = 3
_RUN = "0123456789"


class NoPin(Forbidden):
    """She has chosen none, or it ended after too many wrong ones."""

    code = "no_pin"


class WrongPin(Forbidden):
    """It is not hers; `left` says how often it may be tried before it is closed."""

    code = "wrong_pin"


class PinClosed(Forbidden):
    """Too many wrong ones: none is looked at for a while."""

    code = "pin_closed"


def choose(user: User, pin: str, *, by: Actor) -> None:
    """Give her that PIN, in place of any earlier one. The door has made sure that it is she. Raises Invalid."""
    problem = _too_easy(pin)
    if problem:
        raise Invalid(problem, field="pin", code="easy_pin")
    fresh = {
        "sealed": people.seal_sign_in(make_password(pin)),
        "chosen_at": clock.db_now(),
        "wrong": 0,
        "closed_until": None,
    }
    with transaction.atomic():
        TillPin.objects.update_or_create(user=user, defaults=fresh)
        _record(PinChosen(person=str(user)), user, by=by)


def end(user: User, *, company: Company, reason: str, by: Actor) -> None:
    """Somebody has seen it: from now on it counts for nothing. `company` ends it, whether or not she still works there.

    Raises Invalid without a reason, NoPin where there is none.
    """
    reason = reason.strip()
    if not reason:
        raise Invalid(_("Say why the PIN ends."), field="reason")
    with transaction.atomic():
        if not that_count().filter(user=user).update(wrong=ENDS_AFTER):
            raise NoPin(_("There is no PIN to end."))
        audit.record(PinEnded(person=str(user), reason=reason), by=by, company=company, store=None, about=_about(user))


def prove(user: User, pin: str, *, use: PinUse, by: Actor) -> None:
    """Return if the PIN is hers; `by` is who is signed in at the till where it is given.

    Raises NoPin, WrongPin, PinClosed; each wrong one is counted and in the trail, whatever becomes of the request.
    """
    with transaction.atomic(durable=True):
        row = TillPin.objects.select_for_update().filter(user=user).first()
        problem = _problem(row, pin)
        if row is not None and not isinstance(problem, NoPin | PinClosed):
            row.save(update_fields=["wrong", "closed_until"])
            event = PinRefused(person=str(user), use=use, wrong=row.wrong) if problem else PinGiven(person=str(user), use=use)
            _record(event, user, by=by)
    if problem:
        raise problem


def may_prove(user: User) -> bool:
    """Whether she has a PIN that can still be given."""
    return bool(who_may_prove([user]))


def who_may_prove(persons: Iterable[User]) -> set[int]:
    """Primary keys of those who have one."""
    return set(that_count().filter(user__in=list(persons)).values_list("user_id", flat=True))


def that_count() -> QuerySet[TillPin]:
    """Those that can still be given."""
    return TillPin.objects.filter(wrong__lt=ENDS_AFTER)


def _problem(row: TillPin | None, pin: str) -> Forbidden | None:
    """Try it, and count in the row what came of it."""
    if row is None or row.wrong >= ENDS_AFTER:
        return NoPin(_("There is no PIN for you that counts. Sign in with your password and choose one."))
    now = clock.db_now()
    if row.closed_until and now < row.closed_until:
        return PinClosed(_("Too many wrong PINs. Sign in with your password, or wait a quarter of an hour."))
    if check_password(pin, people.unseal_sign_in(row.sealed)):
        row.wrong, row.closed_until = 0, None
        return None
    row.wrong += 1
    row.closed_until = None if row.wrong % CLOSES_AFTER else now + CLOSED_FOR
    return WrongPin(_("That is not the PIN."), left=-row.wrong % CLOSES_AFTER)


def _too_easy(pin: str) -> str | Promise | None:
    if not _DIGITS.fullmatch(pin):
        return _("Six to ten digits, please.")
    if len(set(pin)) < _FEWEST_DIFFERENT or pin in _RUN * 2 or pin in _RUN[::-1] * 2:
        return _("That one is guessed at once. Choose digits that are no row and not all alike.")
    return None


def _record(event: TrailEvent, user: User, *, by: Actor) -> None:
    audit.record(event, by=by, company=access.company_of(user), store=None, about=_about(user))


def _about(user: User) -> Subject:
    return Subject(type="person", id=str(user.public_id))
