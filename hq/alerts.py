"""What stops refunds now, told at the top of the first screen: a restore, pauses, and whom the hub leaves alone."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Q
from django.urls import reverse
from django.utils.timesince import timesince
from django.utils.translation import gettext_lazy as _

from hq.admin.showing import page_of
from hq.admin.verb_page import Text
from refunds import telling
from refunds.models import Breaker, Pause, PauseScope, RestoreEpoch
from stores.models import Company

SHOWN = 5
"""How many of one kind are named here; the rest are behind the link."""


@dataclass(frozen=True, kw_only=True)
class Alert:
    """One line of the banner; red when everything stands still."""

    sentence: Text
    link: str
    is_urgent: bool


def alerts_of(company: Company) -> list[Alert]:
    """Everything that keeps refunds of this chain waiting, the widest first."""
    return [*_restores(company), *_pauses(company), *_breakers(company)]


def _restores(company: Company) -> Iterator[Alert]:
    for epoch in RestoreEpoch.objects.filter(company=company, ended_at=None):
        left = epoch.looks.filter(read_at=None).count()
        sentence = (
            _("After a restore nothing is sent until every order near it was read at Vipps: %(left)s to go.") % {"left": left}
            if epoch.quiet_until is None
            else _("After a restore nothing is sent for a quiet time yet.")
        )
        yield Alert(sentence=sentence, link=page_of(epoch), is_urgent=True)


def _pauses(company: Company) -> Iterator[Alert]:
    open_ones = Pause.objects.filter(company=company, resumed_at=None).select_related("sales_unit", "store", "cashier")
    found = list(open_ones.order_by("paused_at")[: SHOWN + 1])
    for row in found[:SHOWN]:
        words = {"what": row, "age": timesince(row.paused_at), "who": row.paused_by, "why": row.reason}
        yield Alert(
            sentence=_("Paused for %(age)s by %(who)s: %(what)s (%(why)s)") % words,
            link=page_of(row),
            is_urgent=row.scope == PauseScope.EVERYTHING,
        )
    if len(found) > SHOWN:
        link = f"{reverse('admin:refunds_pause_changelist')}?resumed_at__isnull=True"
        yield Alert(sentence=_("And more is paused."), link=link, is_urgent=False)


def _breakers(company: Company) -> Iterator[Alert]:
    about = Q(sales_unit=None) | Q(sales_unit__company=company)
    open_ones = Breaker.objects.filter(about, opened_at__isnull=False).select_related("sales_unit")
    found = list(open_ones.order_by("opened_at")[: SHOWN + 1])
    for breaker in found[:SHOWN]:
        age, problem = timesince(breaker.opened_at or breaker.changed_at), telling.because_in_words(breaker.problem)
        words = {"whom": breaker, "age": age, "problem": problem}
        sentence = _("Left alone for %(age)s: %(whom)s (%(problem)s)") % words
        yield Alert(sentence=sentence, link=page_of(breaker), is_urgent=breaker.sales_unit_id is None)
    if len(found) > SHOWN:
        link = f"{reverse('admin:refunds_breaker_changelist')}?state=open"
        yield Alert(sentence=_("And more are left alone."), link=link, is_urgent=False)
