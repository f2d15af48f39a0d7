"""What the customer may know of her refund: a link that nobody can guess, for a while, and plain words for each state."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, assert_never

from django.conf import settings
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from refunds import market
from refunds.models import Kind, Refund, State
from stores import clock, links

_PURPOSE = "refund.follow"
_LINK = re.compile(r"/r/(?P<token>[A-Za-z0-9_-]{43})$", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Told:
    """How it goes, said to the customer. `sentences` are whole ones, the first of them what happened."""

    headline: str
    sentences: tuple[str, ...]
    tone: Literal["waiting", "done", "no", "unsure"]
    is_final: bool


def token_of(refund: Refund) -> str:
    """The unguessable name of the refund in the customer's link; the same on every copy of her paper."""
    return links.token_for(refund.pk, purpose=_PURPOSE)


def link_of(refund: Refund) -> str:
    """The whole address, or nothing while the hub has no PUBLIC_URL that a customer's telephone reaches."""
    if not settings.PUBLIC_URL:
        return ""
    return f"{settings.PUBLIC_URL}{reverse('follow', args=[token_of(refund)])}"


def refund_on_paper(scanned: str) -> Refund | None:
    """The refund whose link a scanner read off a paper, however old; whether one may see it is for the door to ask."""
    found = _LINK.search(scanned)
    refund_id = links.subject_of(found["token"], purpose=_PURPOSE) if found else None
    return Refund.objects.select_related("order").filter(pk=refund_id).first() if refund_id else None


def followed_by(token: str) -> Refund | None:
    """The refund of that link, with stores, order and sales unit; None for a wrong token and for one whose time is over."""
    refund_id = links.subject_of(token, purpose=_PURPOSE)
    if refund_id is None:
        return None
    found = Refund.objects.select_related("order__sales_unit", "refunding_store__company").filter(pk=refund_id)
    refund = found.first()
    if refund is None or (refund.ended_at and refund.ended_at < clock.db_now() - timedelta(days=settings.FOLLOW_LINK_DAYS)):
        return None
    return refund


def told_of(refund: Refund) -> Told:
    """The straight answer for the customer, in the active language; `refund` with its order's sales unit."""
    state, is_release = State(refund.state), refund.kind == Kind.RELEASE
    said = {"app": market.app_of(refund.order.sales_unit.market)}
    match state:
        case State.AWAITING_APPROVAL:
            return _told(gettext_lazy("Waiting for the store"), _ASKED if is_release else _TO_BE_APPROVED, "waiting")
        case State.QUEUED | State.SENDING:
            sentence = _("The release has been asked for.") if is_release else _("Your refund is on its way to %(app)s.") % said
            return _told(gettext_lazy("On its way"), sentence, "waiting")
        case State.UNKNOWN | State.REVIEW:
            sentence = _("%(app)s has not given a clear answer yet. We are finding out; you need not do anything.") % said
            return _told(gettext_lazy("Being checked"), sentence, "unsure")
        case State.REFUNDED:
            where = market.where_your_money_goes(refund.order.sales_unit.market)
            sentence = _("%(app)s has confirmed the refund.") % said
            return _told(gettext_lazy("Refunded"), sentence, "done", where, market.WHEN_YOU_HAVE_IT)
        case State.RELEASED:
            sentence = _("The reservation has been released.")
            return _told(gettext_lazy("Released"), sentence, "done", market.WHEN_IT_IS_YOURS_AGAIN)
        case State.DECLINED | State.REJECTED | State.CANCELLED:
            if is_release:
                return _told(gettext_lazy("Not released"), _NOT_RELEASED, "no", _ASK_IN_THE_STORE)
            return _told(gettext_lazy("Not refunded"), _NOT_REFUNDED, "no", _ASK_IN_THE_STORE)
        case _:
            assert_never(state)


_TO_BE_APPROVED = gettext_lazy("Your refund has been asked for. Somebody has to approve it first.")
_ASKED = gettext_lazy("The release has been asked for. Somebody has to approve it first.")
_NOT_REFUNDED = gettext_lazy("Nothing was refunded.")
_NOT_RELEASED = gettext_lazy("The reservation was not released.")
_ASK_IN_THE_STORE = gettext_lazy("Ask in the store that you turned to.")


def _told(
    headline: Promise, sentence: str | Promise, tone: Literal["waiting", "done", "no", "unsure"], *more: Promise
) -> Told:
    sentences = (str(sentence), *(str(each) for each in more))
    return Told(headline=str(headline), sentences=sentences, tone=tone, is_final=tone in ("done", "no"))
