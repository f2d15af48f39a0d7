"""What the desk says of a wish that needs a yes: why, whose, until when, and what was said when it was a no."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from refunds import allowing
from refunds.desk import wording
from refunds.models import Refund, Tier
from refunds.policy import Allowed
from refunds.rules import Breach
from stores import audit
from stores.models import Order, Store, User


@dataclass(frozen=True, kw_only=True)
class Waits:
    """Why it needs a yes, who may give it (`beside`: whose PIN at this very screen would), until when, how long from now."""

    why: list[str]
    who: str
    beside: list[User]
    until: str
    left: str


def waits_of(refund: Refund, *, is_readers: bool, now: datetime) -> Waits:
    """The same for a refund that waits; to a reader who may allow it herself nobody else is named."""
    breaches = [Breach.of_facts(facts) for facts in refund.breaches]
    is_for_headquarters = refund.needs_approval_of == Tier.HEADQUARTERS
    found = [] if is_readers else allowing.approvers_of(refund)
    expires_at = allowing.expires_at(refund)
    return Waits(
        why=_why(breaches, str(refund.get_reason_display()), is_disputed=is_for_headquarters and not breaches),
        who=_("you") if is_readers else allowing.in_words(found),
        beside=allowing.beside(found),
        until=wording.day_and_time(expires_at),
        left=time_left(expires_at - now),
    )


def needs_of(allowed: Allowed, order: Order, *, store: Store, asker: User, reason: str) -> dict[str, object]:
    """What the confirmation says where a rule is broken: why, and who may allow it. Nothing where none is."""
    tier = allowed.needs_approval_of
    if tier is None or not allowed.breaches:
        return {}
    found = allowing.approvers(tier, stores=(store, order.store), but=asker)
    needs = {"why": _why(list(allowed.breaches), reason), "who": allowing.in_words(found), "is_here": allowing.beside(found)}
    return {"needs": needs}


def refusal_of(refund: Refund) -> str:
    """Who said no, and her words: the refund's last entry in the trail."""
    entry = audit.timeline_of("refund", str(refund.pk)).last()
    if entry is None or "because" not in audit.facts_of(entry):
        return ""
    return _("%(who)s said no: %(why)s") % {"who": entry.actor_name, "why": audit.facts_of(entry)["because"]}


def time_left(left: timedelta) -> str:
    """ "23 hours left", "12 minutes left"."""
    minutes = max(0, int(left.total_seconds()) // 60)
    if minutes < 60:
        return ngettext("%(n)s minute left", "%(n)s minutes left", minutes) % {"n": minutes}
    return ngettext("%(n)s hour left", "%(n)s hours left", minutes // 60) % {"n": minutes // 60}


def _why(breaches: list[Breach], reason: str, *, is_disputed: bool = False) -> list[str]:
    if is_disputed:
        return [_("The customer’s bank has taken money of this order back from us.")]
    return allowing.why(breaches, reason=reason) or [_("It is more than may go out at once.")]
