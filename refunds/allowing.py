"""Who may allow what breaks a rule, why it needs that, and what waits for whom: managers of either store, and headquarters."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from refunds import telling
from refunds.models import AskerRole, Measure, Refund, State, Tier
from refunds.rules import Breach
from stores import access, pins
from stores.access import Right
from stores.models import HQ_ROLES, Membership, Role, Store, User
from stores.money import in_locale

EXPIRES_AFTER = timedelta(hours=24)
"""A wish that nobody allowed by then lapses (T4)."""
AT_THE_DESK = Tier.STORE
"""How high a yes given at the desk can be: headquarters proves a second factor first, which its admin asks for."""
MOST_NAMES = 6
_WITH = ("order__store", "order__sales_unit", "refunding_store", "requested_by", "requested_by_system__store")


@dataclass(frozen=True, kw_only=True)
class Approver:
    """Somebody who may allow it, as what and where; `has_pin`: a till would know her."""

    person: User
    role: str | Promise
    place: str
    is_manager: bool
    has_pin: bool


def authority(user: User, refund: Refund) -> Tier | None:
    """Whose yes hers is, in either of the two stores; None: nobody's. Her own wish is not looked at here."""
    stores = (refund.refunding_store, refund.order.store)
    roles = access.roles_with(user, Right.APPROVE_REFUND, stores=stores)
    if roles & set(HQ_ROLES):
        return Tier.HEADQUARTERS
    return Tier.STORE if roles else None


def is_enough(authority: Tier | None, refund: Refund) -> bool:
    """Whether that is as high as the refund needs."""
    if refund.needs_approval_of == Tier.HEADQUARTERS:
        return authority == Tier.HEADQUARTERS
    return authority is not None


def expires_at(refund: Refund) -> datetime:
    """When it lapses if nobody allows it."""
    return refund.accepted_at + EXPIRES_AFTER


def approvers(tier: Tier, *, stores: Iterable[Store], but: User | None) -> list[Approver]:
    """Who may allow it, whoever asks left out; managers first, by name."""
    places = {store.pk: store for store in stores}
    at_hq = Q(store=None, role=Role.APPROVER, company__in={store.company_id for store in places.values()})
    held = at_hq if tier == Tier.HEADQUARTERS else at_hq | Q(store__in=places, store__closed_at=None, role=Role.MANAGER)
    found = Membership.objects.filter(held, ended_at=None, user__is_active=True).select_related("user", "store")
    found = found.annotate(has_pin=Exists(pins.that_count().filter(user=OuterRef("user"))))
    if but is not None:
        found = found.exclude(user=but)
    in_order = sorted(found, key=lambda membership: (membership.role in HQ_ROLES, str(membership.user)))
    return [
        Approver(
            person=membership.user,
            role=Role(membership.role).label,
            place=membership.store.name if membership.store else _("headquarters"),
            is_manager=membership.role == Role.MANAGER,
            has_pin=membership.has_pin,
        )
        for membership in in_order
    ]


def approvers_of(refund: Refund) -> list[Approver]:
    """Who may allow a wish that waits."""
    stores = (refund.refunding_store, refund.order.store)
    return approvers(Tier(refund.needs_approval_of or Tier.STORE), stores=stores, but=refund.requested_by)


def beside(found: Iterable[Approver]) -> list[User]:
    """Who of them can say yes at a till where somebody else is signed in: managers with a PIN, each once."""
    return list(dict.fromkeys(one.person for one in found if one.has_pin and one.is_manager))


def in_words(found: list[Approver]) -> str:
    """ "Mona (manager, Nordlys Oslo) or Hanne (HQ approver)"; a few names, then how many more."""
    named = [
        f"{one.person} ({one.role}, {one.place})" if one.place != _("headquarters") else f"{one.person} ({one.role})"
        for one in found[:MOST_NAMES]
    ]
    if not named:
        return _("nobody now: ask headquarters")
    if len(found) > MOST_NAMES:
        named.append(_("%(count)s more") % {"count": len(found) - MOST_NAMES})
    return named[0] if len(named) == 1 else _("%(first)s or %(last)s") % {"first": ", ".join(named[:-1]), "last": named[-1]}


def why(breaches: Iterable[Breach], *, reason: str) -> list[str]:
    """Each broken rule in a sentence; `reason` is the refund's own, in words."""
    return [_sentence(breach, reason) for breach in breaches]


def waiting_in(store: Store) -> QuerySet[Refund]:
    """What waits for a yes there: asked for in that store, or of a sale of its own; the oldest first."""
    found = Refund.objects.filter(Q(refunding_store=store) | Q(origin_store=store), state=State.AWAITING_APPROVAL)
    return found.select_related(*_WITH).order_by("accepted_at")


def count_waiting_for(user: User, *, store: OuterRef) -> Coalesce:
    """How many of those a manager of the store that an outer query names may decide; her own are not hers to decide."""
    found = (
        Refund.objects.filter(Q(refunding_store=store) | Q(origin_store=store), state=State.AWAITING_APPROVAL)
        .exclude(requested_by=user)
        .exclude(needs_approval_of=Tier.HEADQUARTERS)
    )
    return Coalesce(Subquery(found.order_by().values(every=Value(1)).annotate(count=Count("pk")).values("count")), 0)


_LIMITS: dict[Measure, str | Promise] = {
    Measure.REFUND: gettext_lazy("It is more than %(limit)s at once."),
    Measure.ORDER: gettext_lazy("With it %(reached)s of this order goes back within 24 hours, more than %(limit)s."),
    Measure.CASHIER: gettext_lazy("With it one cashier gives back %(reached)s within 24 hours, more than %(limit)s."),
    Measure.TILL: gettext_lazy("With it %(reached)s goes back at one till within 24 hours, more than %(limit)s."),
    Measure.STORE: gettext_lazy("With it %(reached)s goes back in one store within 24 hours, more than %(limit)s."),
}


def _sentence(breach: Breach, reason: str) -> str:
    said = []
    if breach.above_minor or breach.measure != Measure.REFUND:
        money = {
            "limit": in_locale(breach.above_minor, breach.currency, telling.language()),
            "reached": in_locale(breach.reached_minor, breach.currency, telling.language()),
        }
        said.append(str(_LIMITS[breach.measure]) % money)
    if breach.older_than_days:
        said.append(_("It was paid more than %(days)s days ago.") % {"days": breach.older_than_days})
    if breach.without_receipt:
        said.append(_("The customer has no receipt."))
    if breach.reason:
        said.append(_("The reason is “%(reason)s”.") % {"reason": reason})
    if not said:
        said.append(_("Every refund needs a yes here."))
    if breach.role:
        said.append(_("That holds for whoever asks as a %(role)s.") % {"role": AskerRole(breach.role).label})
    return " ".join(said)
