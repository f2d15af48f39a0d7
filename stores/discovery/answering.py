"""A worker's part of a question: every sales unit asked side by side, within a deadline, and each answer kept as it comes.

Threads only speak with Vipps; the database is spoken with by one, so a question costs one connection however many it asks.
"""

import logging
from collections.abc import Callable, Collection
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Q

from stores import clock, sessions
from stores.actors import Actor
from stores.discovery.questions import ring
from stores.discovery.reading import Finding, ask_for_payment, index_payment
from stores.errors import HubError
from stores.models import AskedUnit, SalesUnit, UnitAnswer, VippsQuestion
from stores.orders import Confirmed
from stores.vipps.errors import Misconfigured, Throttled, Unauthorized, VippsError

logger = logging.getLogger(__name__)

DEADLINE_SECONDS = 8.0
"""How long the person at the desk is kept waiting."""
AT_ONCE = 16
"""Calls of all questions of this process side by side; more wait, within their deadline."""
MOST_OF_ONE_KEY = 100
"""Vipps takes 120 readings a minute of one reference with one subscription key (Vipps: ePayment API, rate limits)."""
_LEASE = timedelta(seconds=30)
_IN_VAIN_AFTER = timedelta(seconds=3)
_TOO_OLD = timedelta(minutes=2)
_LOOK_SECONDS = 0.5
_BATCH = 20

_pool = ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="question")

Asked = Future[Confirmed | None]
LeftAlone = Callable[[Collection[SalesUnit]], set[int]]
"""Of these sales units, the ids of those that are not to be asked now."""


@dataclass(kw_only=True, slots=True)
class _Round:
    """The calls of one question that are on their way; what they say is said of `as_of`."""

    question: VippsQuestion
    as_of: datetime
    by: Actor
    waiting: dict[Asked, AskedUnit] = field(default_factory=dict)


def answer(question_id: int, *, by: Actor, left_alone: LeftAlone) -> bool:
    """Ask every unit of a question; False where it has ended, or somebody is at it. Needs the private key."""
    now = clock.db_now()
    is_free = Q(claimed_until=None) | Q(claimed_until__lt=now)
    if not VippsQuestion.objects.filter(is_free, pk=question_id, ended_at=None).update(claimed_until=now + _LEASE):
        return False
    question = VippsQuestion.objects.get(pk=question_id)
    ends_at = clock.monotonic() + DEADLINE_SECONDS
    calls = _Round(question=question, as_of=now, by=by)
    _send(calls, left_alone)
    while calls.waiting and (left := ends_at - clock.monotonic()) > 0:
        done, _pending = wait(calls.waiting, timeout=min(left, _LOOK_SECONDS), return_when=FIRST_COMPLETED)
        for call in done:
            _take(call, calls)
    for call, unit in calls.waiting.items():
        # One that is on its way comes too late to be heard; one that never left was no fault of Vipps.
        _note(unit, UnitAnswer.COULD_NOT, problem="too_many" if call.cancel() else "no_answer")
    _end(question)
    return True


def ring_due(*, by: Actor, left_alone: LeftAlone, seconds: float) -> int:
    """For the sweep: answer here what no worker takes, for so many seconds; end what is too old for anybody to wait for."""
    now, ends_at = clock.db_now(), clock.monotonic() + seconds
    quiet = VippsQuestion.objects.filter(
        Q(claimed_until=None) | Q(claimed_until__lt=now),
        Q(nudged_at=None) | Q(nudged_at__lt=now - _IN_VAIN_AFTER),
        ended_at=None,
    )
    found = list(quiet.order_by("asked_at").values_list("pk", "asked_at", "claimed_until")[:_BATCH])
    for question_id, asked_at, claimed_until in found:
        if asked_at < now - _TOO_OLD:
            _give_up(question_id)
        elif clock.monotonic() < ends_at:
            answer(question_id, by=by, left_alone=left_alone)
        elif claimed_until is None:
            VippsQuestion.objects.filter(pk=question_id).update(nudged_at=now)
            ring(question_id)
    return len(found)


def _send(calls: _Round, left_alone: LeftAlone) -> None:
    """Sessions are opened here, one after the other; threads are given what they need and nothing to look up."""
    units = list(calls.question.units.filter(answer=UnitAnswer.WAITING).select_related("sales_unit__key_set"))
    resting = left_alone([unit.sales_unit for unit in units])
    of_key: dict[int | None, int] = {}
    for unit in units:
        key = unit.sales_unit.key_set_id
        of_key[key] = of_key.get(key, 0) + 1
        if unit.sales_unit_id in resting:
            _note(unit, UnitAnswer.COULD_NOT, problem="left_alone")
        elif of_key[key] > MOST_OF_ONE_KEY:
            _note(unit, UnitAnswer.COULD_NOT, problem="too_many")
        else:
            _call(unit, calls)


def _call(unit: AskedUnit, calls: _Round) -> None:
    reference = calls.question.reference
    try:
        session = sessions.open_session(unit.sales_unit, by=calls.by, why=f"look up {reference}")
    except HubError as error:
        _note(unit, UnitAnswer.COULD_NOT, problem=error.code)
        return
    call = _pool.submit(ask_for_payment, session, unit.sales_unit_id, reference, as_of=calls.as_of)
    calls.waiting[call] = unit


def _take(call: Asked, calls: _Round) -> None:
    """One answer. Somebody may have heard the same before a worker died: then it is indexed once more, and is the same."""
    unit = calls.waiting.pop(call, None)
    if unit is None:
        return
    try:
        told = call.result()
    except VippsError as error:
        _note(unit, UnitAnswer.COULD_NOT, problem=_problem(error, unit))
        if isinstance(error, Throttled):
            _spare(unit.sales_unit.key_set_id, calls)
        return
    if told is None:
        _note(unit, UnitAnswer.NOT_THERE)
        return
    found = index_payment(told, by=calls.by)
    if found.order is not None:
        AskedUnit.objects.filter(pk=unit.pk).update(order=found.order)
        _note(unit, UnitAnswer.FOUND)
    else:
        _note(unit, UnitAnswer.UNPLACED if found.finding is Finding.UNPLACED else UnitAnswer.NOT_THERE)


def _problem(error: VippsError, unit: AskedUnit) -> str:
    if isinstance(error, Throttled):
        return "throttled"
    if isinstance(error, Unauthorized | Misconfigured):
        if isinstance(error, Unauthorized) and unit.sales_unit.key_set_id is not None:
            sessions.forget(unit.sales_unit.key_set_id)
        return "keys_refused"
    return "no_answer"


def _spare(key_set_id: int | None, calls: _Round) -> None:
    """Vipps asks these keys to wait: what has not gone out with them does not go out."""
    for call, unit in list(calls.waiting.items()):
        if unit.sales_unit.key_set_id == key_set_id and call.cancel():
            del calls.waiting[call]
            _note(unit, UnitAnswer.COULD_NOT, problem="throttled")


def _note(unit: AskedUnit, said: UnitAnswer, *, problem: str = "") -> None:
    AskedUnit.objects.filter(pk=unit.pk).update(answer=said, problem=problem[:40], answered_at=clock.db_now())


def _give_up(question_id: int) -> None:
    AskedUnit.objects.filter(question=question_id, answer=UnitAnswer.WAITING).update(
        answer=UnitAnswer.COULD_NOT, problem="nobody_asked", answered_at=clock.db_now()
    )
    VippsQuestion.objects.filter(pk=question_id, ended_at=None).update(ended_at=clock.db_now())


def _end(question: VippsQuestion) -> None:
    VippsQuestion.objects.filter(pk=question.pk, ended_at=None).update(ended_at=clock.db_now())
