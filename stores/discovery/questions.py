"""Asking Vipps for a reference that the index does not know: whole references only, a handful a minute, and recorded."""

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from stores import access, audit, clock, nudge
from stores.access import Asker, Right
from stores.actors import Actor
from stores.discovery.candidates import stores_behind, units_that_could_hold
from stores.errors import Invalid, NotFound
from stores.events import VippsAsked
from stores.models import AskedUnit, Company, Order, Store, StoreSystem, UnitAnswer, User, VippsQuestion
from stores.search.limits import TooManyLookUps

TASK = "stores.answer_question"
SHORTEST = 8
"""A shorter one is eCom's, and easily part of another or guessed: it is asked of a store that is named, and of no other."""
SHORTEST_OF_ONE_STORE = 4
_REFERENCE = re.compile(r"[A-Za-z0-9-]{4,64}", re.ASCII)
_WINDOW = timedelta(minutes=1)
_RETRY_AFTER_SECONDS = 60


class Standing(StrEnum):
    """What has come of a question so far."""

    ASKING = "asking"
    FOUND = "found"
    UNPLACED = "unplaced"
    NOT_FOUND = "not_found"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True, kw_only=True, slots=True)
class NotAsked:
    """Stores that could not be asked, and why."""

    stores: tuple[Store, ...]
    problem: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far a question has come: in stores, since that is what people know. `orders` come with their stores.

    `is_ended` says that nobody will be asked any more.
    """

    question: VippsQuestion
    standing: Standing
    asked: int
    stores: int
    orders: tuple[Order, ...]
    not_asked: tuple[NotAsked, ...]

    @property
    def is_ended(self) -> bool:
        return self.question.ended_at is not None


def is_whole_reference(typed: str, *, store: Store | None = None) -> bool:
    """Whether Vipps can be asked for this at all: eight characters, or four where a store is named."""
    return bool(_REFERENCE.fullmatch(typed)) and len(typed) >= (SHORTEST if store is None else SHORTEST_OF_ONE_STORE)


def ask_vipps(reference: str, *, asker: Asker, from_store: Store, store: Store | None = None, by: Actor) -> VippsQuestion:
    """Put the question down and ring for a worker; `store` is the one that sold, where that is known.

    Raises Forbidden, Invalid (not_a_whole_reference, no_store_could_have_sold), TooManyLookUps. Whether anybody else's
    sales unit has the reference is neither asked nor told.
    """
    access.require(asker, Right.SEARCH_ORDERS)
    company = access.company_of(asker)
    if not is_whole_reference(reference, store=store):
        raise Invalid(
            _("Vipps is asked for whole references only: 8 to 64 letters, digits and hyphens, or 4 where the store is known."),
            code="not_a_whole_reference",
            field="reference",
        )
    with transaction.atomic():
        _check_limit(asker, company)
        now = clock.db_now()
        units = units_that_could_hold(reference, company=company, store=store, now=now)
        if not units:
            raise Invalid(
                _("No store that could still be refunded uses such references."),
                code="no_store_could_have_sold",
                field="reference",
            )
        question = VippsQuestion.objects.create(
            company=company,
            reference=reference,
            store=store,
            from_store=from_store,
            asked_at=now,
            nudged_at=now,
            **_who(asker),
        )
        AskedUnit.objects.bulk_create([AskedUnit(question=question, sales_unit=unit) for unit in units])
        event = VippsAsked(reference=reference, units=len(units), where=store.code if store else "all")
        about = audit.Subject(type="vipps_question", id=str(question.public_id))
        audit.record(event, by=by, company=company, store=from_store, about=about)
        transaction.on_commit(lambda: ring(question.pk), robust=True)
    return question


def progress_for(asker: Asker, public_id: UUID) -> Progress:
    """What has come of the asker's own question. Raises NotFound, whether it is absent or somebody else's."""
    whose = {f"question__{name}": value for name, value in _who(asker).items()}
    units = list(_with_orders(AskedUnit.objects.filter(question__public_id=public_id, **whose)))
    if not units:
        raise NotFound(_("There is no such question."))
    return _progress(units[0].question, units)


def progress_of(question: VippsQuestion) -> Progress:
    """What has come of a question so far."""
    return _progress(question, list(_with_orders(question.units.all())))


def _with_orders(units: QuerySet[AskedUnit]) -> QuerySet[AskedUnit]:
    return units.select_related("question__store", "order__store", "order__sales_unit").order_by("pk")


def _progress(question: VippsQuestion, units: list[AskedUnit]) -> Progress:
    behind = stores_behind(question.reference, [unit.sales_unit_id for unit in units], named=question.store)
    not_asked = [unit for unit in units if unit.answer == UnitAnswer.COULD_NOT]
    orders = tuple(unit.order for unit in units if unit.order is not None)
    return Progress(
        question=question,
        standing=_standing(question, units),
        asked=sum(len(behind.get(unit.sales_unit_id, ())) for unit in units if unit.answer in _ASKED),
        stores=sum(len(stores) for stores in behind.values()),
        orders=orders,
        not_asked=tuple(
            NotAsked(stores=tuple(behind.get(unit.sales_unit_id, ())), problem=unit.problem) for unit in not_asked
        ),
    )


def ring(question_id: int) -> bool:
    """Ask a worker to ask Vipps; False where the broker does not take it, and then the sweep need not wait for anybody."""
    is_taken = nudge.publish(TASK, str(question_id))
    if not is_taken:
        VippsQuestion.objects.filter(pk=question_id).update(nudged_at=None)
    return is_taken


_ASKED = (UnitAnswer.FOUND, UnitAnswer.UNPLACED, UnitAnswer.NOT_THERE)


def _standing(question: VippsQuestion, units: list[AskedUnit]) -> Standing:
    answers = {unit.answer for unit in units}
    if question.ended_at is None:
        return Standing.ASKING
    if UnitAnswer.FOUND in answers:
        return Standing.FOUND
    if UnitAnswer.UNPLACED in answers:
        return Standing.UNPLACED
    return Standing.INCOMPLETE if UnitAnswer.COULD_NOT in answers else Standing.NOT_FOUND


def _check_limit(asker: Asker, company: Company) -> None:
    """Counted under the asker's own lock, so that two questions at once do not both count as the last."""
    kind: type[User | StoreSystem] = StoreSystem if isinstance(asker, StoreSystem) else User
    kind._default_manager.select_for_update(no_key=True).get(pk=asker.pk)
    lately = VippsQuestion.objects.filter(asked_at__gt=clock.db_now() - _WINDOW)
    is_too_much = (
        lately.filter(**_who(asker)).count() >= settings.VIPPS_QUESTIONS_PER_MINUTE
        or lately.filter(company=company).count() >= settings.VIPPS_QUESTIONS_PER_MINUTE_IN_ALL
    )
    if is_too_much:
        raise TooManyLookUps(
            _("Vipps was asked a great deal just now. Wait a minute and ask again."), retry_after=_RETRY_AFTER_SECONDS
        )


def _who(asker: Asker) -> dict[str, Asker]:
    return {"system": asker} if isinstance(asker, StoreSystem) else {"user": asker}
