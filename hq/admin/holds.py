"""Orders on hold: why, since what, and the two people who may lift a hold that no review carries."""

from typing import Any

from django.contrib.admin import register
from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from hq.admin.admin_site import site
from hq.admin.asking import actor_of, asker_of
from hq.admin.base import HqAdmin
from hq.admin.filters import HoldFilter
from hq.admin.review_actions import ProposalNoteForm
from hq.admin.review_log import moment
from hq.admin.showing import NOTHING, link_to, listed, money, page_of
from hq.admin.verb_page import VerbForm, VerbPage, verb_page
from refunds import holds, telling
from refunds.models import HoldLift, OrderAccount, Refund, State
from stores.access import Right


@register(OrderAccount, site=site)
class HoldAdmin(HqAdmin):
    """Nothing of these orders is accepted or sent. Most go on by themselves when their review ends."""

    company_path = "order__store__company"
    list_display = ("order_reference", "sold_by", "why", "in_review", "proposed")
    list_filter = (HoldFilter,)
    list_select_related = ("order__store",)
    search_fields = ("=order__reference",)
    search_help_text = _("A whole reference.")
    ordering = ("-order_id",)
    sortable_by = ()
    fields = readonly_fields = (
        *("order_reference", "sold_by", "why", "in_review", "waiting", "proposed"),
        *("refunded", "elsewhere", "reserved"),
    )
    actions_detail = ("propose_lift", "withdraw_lift", "reject_lift", "confirm_lift")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        reviews = Refund.objects.filter(order=OuterRef("order"), state=State.REVIEW)
        held: QuerySet[Any] = super().get_queryset(request).filter(on_hold=True).annotate(is_in_review=Exists(reviews))
        return held

    def has_propose_lift_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        account = self._liftable(request, object_id)
        if account is None:
            return self._is_asked_in_general(request, object_id)
        return _open_lift(account) is None

    def has_decide_lift_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        account = self._liftable(request, object_id)
        if account is None:
            return self._is_asked_in_general(request, object_id)
        lift = _open_lift(account)
        return lift is not None and lift.proposed_by_id != asker_of(request).pk

    def has_withdraw_lift_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        account = self._liftable(request, object_id)
        if account is None:
            return self._is_asked_in_general(request, object_id)
        lift = _open_lift(account)
        return lift is not None and lift.proposed_by_id == asker_of(request).pk

    @display(description=_("order"))
    def order_reference(self, account: OrderAccount) -> str:
        return str(account.order.reference)

    @display(description=_("sold by"))
    def sold_by(self, account: OrderAccount) -> str:
        return str(account.order.store)

    @display(description=_("why"))
    def why(self, account: OrderAccount) -> str:
        return telling.because_in_words(account.hold_reason)

    @display(description=_("in review"))
    def in_review(self, account: OrderAccount) -> Any:
        return listed(link_to(refund) for refund in _refunds(account).filter(state=State.REVIEW))

    @display(description=_("refunds that wait"))
    def waiting(self, account: OrderAccount) -> Any:
        return listed(link_to(refund) for refund in _refunds(account).filter(state__in=(State.QUEUED, State.UNKNOWN)))

    @display(description=_("proposal"))
    def proposed(self, account: OrderAccount) -> str:
        lift = _open_lift(account)
        if lift is None:
            return NOTHING
        words = {"who": lift.proposed_by, "at": moment(lift.proposed_at), "note": lift.note}
        return _("%(who)s, %(at)s: %(note)s") % words

    @display(description=_("refunded"))
    def refunded(self, account: OrderAccount) -> str:
        return money(account.posted_minor, account.order.currency)

    @display(description=_("refunded elsewhere"))
    def elsewhere(self, account: OrderAccount) -> str:
        return money(account.external_minor, account.order.currency)

    @display(description=_("reserved"))
    def reserved(self, account: OrderAccount) -> str:
        return money(account.reserved_minor, account.order.currency)

    @action(
        description=_("Propose to lift the hold"),
        permissions=["propose_lift"],
        icon="lock_open",
        variant=ActionVariant.PRIMARY,
    )
    def propose_lift(self, request: HttpRequest, object_id: str) -> HttpResponse:
        account: OrderAccount = self.row(request, object_id)

        def act(form: ProposalNoteForm) -> Any:
            note = form.cleaned_data["note"]
            holds.propose_lift(account.order.public_id, note=note, asker=asker_of(request), by=actor_of(request))
            return _("Proposed. Another person has to confirm it.")

        page = self._page(
            account,
            title=_("Propose to lift the hold of %(order)s") % {"order": account.order.reference},
            explanation=_("Nothing changes until another person confirms."),
            button=_("Propose"),
        )
        return verb_page(self, request, page, form_of=ProposalNoteForm, act=act)

    @action(description=_("Lift the hold"), permissions=["decide_lift"], icon="check", variant=ActionVariant.SUCCESS)
    def confirm_lift(self, request: HttpRequest, object_id: str) -> HttpResponse:
        account: OrderAccount = self.row(request, object_id)
        lift = _waiting_lift(account)

        def act(form: VerbForm) -> Any:
            holds.confirm_lift(lift.pk, asker=asker_of(request), by=actor_of(request))
            return _("%(order)s is no longer on hold; what waited goes on.") % {"order": account.order.reference}

        page = self._page(
            account,
            title=_("Lift the hold of %(order)s") % {"order": account.order.reference},
            explanation=_("Refunds of this order are accepted and sent again at once."),
            button=_("Lift the hold"),
            back=reverse("admin:refunds_orderaccount_changelist"),
            is_dangerous=True,
        )
        return verb_page(self, request, page, form_of=VerbForm, act=act)

    @action(description=_("Reject the proposal"), permissions=["decide_lift"], icon="close", variant=ActionVariant.DANGER)
    def reject_lift(self, request: HttpRequest, object_id: str) -> HttpResponse:
        account: OrderAccount = self.row(request, object_id)
        lift = _waiting_lift(account)

        def act(form: ProposalNoteForm) -> Any:
            holds.reject_lift(lift.pk, note=form.cleaned_data["note"], asker=asker_of(request), by=actor_of(request))
            return _("Rejected. The order stays on hold.")

        page = self._page(
            account,
            title=_("Reject the proposal for %(order)s") % {"order": account.order.reference},
            explanation=_("The order stays on hold."),
            button=_("Reject the proposal"),
        )
        return verb_page(self, request, page, form_of=ProposalNoteForm, act=act)

    @action(description=_("Withdraw the proposal"), permissions=["withdraw_lift"], icon="undo")
    def withdraw_lift(self, request: HttpRequest, object_id: str) -> HttpResponse:
        account: OrderAccount = self.row(request, object_id)
        lift = _waiting_lift(account)

        def act(form: VerbForm) -> Any:
            holds.withdraw_lift(lift.pk, asker=asker_of(request), by=actor_of(request))
            return _("Withdrawn. The order stays on hold.")

        page = VerbPage(
            title=_("Withdraw your proposal for %(order)s") % {"order": account.order.reference},
            explanation=_("The order stays on hold."),
            button=_("Withdraw the proposal"),
            back=page_of(account),
        )
        return verb_page(self, request, page, form_of=VerbForm, act=act)

    def _page(self, account: OrderAccount, *, back: str = "", **texts: Any) -> VerbPage:
        return VerbPage(
            **texts,
            back=back or page_of(account),
            needs_fresh_proof=True,
            facts=[
                (_("Order"), account.order.reference),
                (_("Sold by"), self.sold_by(account)),
                (_("Why on hold"), self.why(account)),
                (_("Refunded by the hub"), self.refunded(account)),
                (_("Refunded elsewhere"), self.elsewhere(account)),
                (_("Proposal"), self.proposed(account)),
            ],
        )

    def _liftable(self, request: HttpRequest, object_id: str | None) -> OrderAccount | None:
        if object_id is None or not self.may(request, Right.SETTLE_REVIEW):
            return None
        account = self.get_object(request, object_id)
        is_one = isinstance(account, OrderAccount)
        return account if is_one and not _refunds(account).filter(state=State.REVIEW).exists() else None

    def _is_asked_in_general(self, request: HttpRequest, object_id: str | None) -> bool:
        """Unfold asks about a button without naming a row too."""
        return object_id is None and self.may(request, Right.SETTLE_REVIEW)


def _refunds(account: OrderAccount) -> QuerySet[Refund]:
    return Refund.objects.filter(order=account.order_id).select_related("order").order_by("number")


def _open_lift(account: OrderAccount) -> HoldLift | None:
    return HoldLift.objects.filter(order=account.order_id, verdict="").select_related("proposed_by").first()


def _waiting_lift(account: OrderAccount) -> HoldLift:
    lift = _open_lift(account)
    if lift is None:
        raise Http404
    return lift
