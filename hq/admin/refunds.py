"""Refunds: read-only lists and a timeline; the buttons are an approver's yes and no, and those of a review."""

from typing import Any

from django import forms
from django.contrib.admin import register
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, MultipleChoicesDropdownFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminTextInputWidget

from hq.admin import refund_timeline, review_log
from hq.admin.admin_site import site
from hq.admin.asking import actor_of, asker_of
from hq.admin.base import LongListAdmin
from hq.admin.filters import AmountFilter, DaysFilter, ProposalFilter, SellingStoreFilter
from hq.admin.review_actions import ReviewActions
from hq.admin.showing import NOTHING, link_to, listed, moment, money, page_of
from hq.admin.verb_page import VerbForm, VerbPage, verb_page
from refunds import allowing, approving, queries, telling
from refunds.models import Kind, Refund, State
from refunds.progress import progress_of
from refunds.rules import Breach
from stores.access import Right
from stores.models import Order

COLOURS = {
    State.AWAITING_APPROVAL: "warning",
    State.QUEUED: "info",
    State.SENDING: "info",
    State.UNKNOWN: "warning",
    State.REVIEW: "danger",
    State.REFUNDED: "success",
    State.RELEASED: "success",
    State.DECLINED: "danger",
}


class NoteForm(VerbForm):
    """Why an approver says no."""

    note = forms.CharField(
        label=_("Why"),
        max_length=200,
        widget=UnfoldAdminTextInputWidget(attrs={"autofocus": True, "autocomplete": "off"}),
        help_text=_("The cashier sees it."),
    )


class SeenForm(VerbForm):
    """Carries what was shown, so that nothing else is allowed."""

    seen = forms.CharField(max_length=64, widget=forms.HiddenInput)


@register(Refund, site=site)
class RefundAdmin(ReviewActions, LongListAdmin):
    """Every refund of the chain; a row opens as a timeline."""

    company_path = "order__store__company"
    list_display = ("number_link", "state_label", "amount", "sold_by", "refunding_store", "asked_by", "accepted_at")
    list_filter = (
        ("state", MultipleChoicesDropdownFilter),
        ProposalFilter,
        ("refunding_store", AutocompleteSelectFilter),
        ("order__store", SellingStoreFilter),
        ("accepted_at", DaysFilter),
        ("amount_minor", AmountFilter),
    )
    list_select_related = ("order__store", "refunding_store", "requested_by", "requested_by_system__store")
    search_fields = ("=order__reference", "=id")
    search_help_text = _("A whole reference or refund id.")
    ordering = ("-accepted_at", "-id")
    sortable_by = ()
    fields = (
        ("amount", "state"),
        ("order_link", "reason_label"),
        ("sold_by", "reason_text"),
        ("refunding_store", "accepted_at"),
        ("asked_by", "ended_at"),
        ("cashier", "approved_by"),
        ("how_it_went", "provider_code"),
        ("kind", "has_receipt"),
        ("judged_by", "needs_approval_of"),
        ("broke",),
    )
    readonly_fields = tuple(name for line in fields for name in line)
    actions_detail = ("reject", "approve", "ask_vipps", "propose_end", "withdraw_end", "reject_end", "confirm_end")
    change_form_outer_before_template = "admin/refund_progress.html"
    change_form_outer_after_template = "admin/refund_timeline.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return queries.refunds_visible_to(asker_of(request)).order_by(*self.ordering)

    def has_approve_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Whether the button is shown: the right, a refund that waits, and somebody else's; the verb decides again."""
        if not self.may(request, Right.APPROVE_REFUND):
            return False
        if object_id is None:
            return True
        refund = self.get_object(request, object_id)
        return refund is not None and refund.state == State.AWAITING_APPROVAL and refund.requested_by_id != asker_of(request).pk

    def shown_beside(self, row: Refund) -> dict[str, Any]:
        shown: dict[str, Any] = {"progress": progress_of(row), "timeline": refund_timeline.timeline_of(row)}
        return shown | ({"review": review_log.panel_of(row)} if row.state == State.REVIEW else {})

    @display(description=_("refund"))
    def number_link(self, refund: Refund) -> str:
        return str(refund)

    @display(description=_("state"), label=dict(COLOURS))
    def state_label(self, refund: Refund) -> tuple[str, str]:
        return refund.state, refund.get_state_display()

    @display(description=_("amount"))
    def amount(self, refund: Refund) -> str:
        return money(refund.shown_minor, refund.currency)

    @display(description=_("outcome"))
    def how_it_went(self, refund: Refund) -> str:
        return telling.code_in_words(refund.outcome)

    @display(description=_("sold by"))
    def sold_by(self, refund: Refund) -> str:
        return str(refund.order.store)

    @display(description=_("asked by"))
    def asked_by(self, refund: Refund) -> str:
        return str(refund.requested_by or refund.requested_by_system)

    @display(description=_("order"))
    def order_link(self, refund: Refund) -> Any:
        order: Order = refund.order
        return link_to(order)

    @action(description=_("Approve"), permissions=["approve"], icon="check", variant=ActionVariant.SUCCESS)
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        refund: Refund = self.row(request, object_id)

        def act(form: SeenForm) -> Any:
            seen = form.cleaned_data["seen"]
            approving.approve_refund(refund.pk, asker=asker_of(request), by=actor_of(request), seen=seen)
            return _("%(refund)s is approved and on its way.") % {"refund": refund}

        page = VerbPage(
            title=_("Approve %(refund)s") % {"refund": refund},
            explanation=(
                _("All that is reserved is let go at Vipps; no money moves.")
                if refund.kind == Kind.RELEASE
                else _("The money goes back to the customer at once, from the store that sold.")
            ),
            button=_("Approve %(amount)s") % {"amount": self.amount(refund)},
            back=page_of(refund),
            needs_fresh_proof=True,
            facts=self._facts(refund),
        )
        shown = {"seen": refund.fingerprint}
        return verb_page(self, request, page, form_of=lambda data: SeenForm(data, initial=shown), act=act)

    @action(description=_("Refuse"), permissions=["approve"], icon="close", variant=ActionVariant.DANGER)
    def reject(self, request: HttpRequest, object_id: str) -> HttpResponse:
        refund: Refund = self.row(request, object_id)

        def act(form: NoteForm) -> Any:
            approving.reject_refund(refund.pk, note=form.cleaned_data["note"], asker=asker_of(request), by=actor_of(request))
            return _("%(refund)s is refused; nothing was sent.") % {"refund": refund}

        page = VerbPage(
            title=_("Refuse %(refund)s") % {"refund": refund},
            explanation=_("Nothing is sent, and the amount can be refunded again."),
            button=_("Refuse the refund"),
            back=page_of(refund),
            is_dangerous=True,
            needs_fresh_proof=True,
            facts=self._facts(refund),
        )
        return verb_page(self, request, page, form_of=NoteForm, act=act)

    @display(description=_("reason"))
    def reason_label(self, refund: Refund) -> str:
        return str(refund.get_reason_display())

    @display(description=_("judged by"))
    def judged_by(self, refund: Refund) -> Any:
        return link_to(refund.policy_version) if refund.policy_version else _("the settings")

    @display(description=_("rules it broke"))
    def broke(self, refund: Refund) -> Any:
        return listed(self._why(refund))

    @staticmethod
    def _why(refund: Refund) -> list[str]:
        breaches = [Breach.of_facts(facts) for facts in refund.breaches]
        return allowing.why(breaches, reason=str(refund.get_reason_display()))

    def _facts(self, refund: Refund) -> list[tuple[Any, Any]]:
        reason = refund.get_reason_display()
        return [
            (_("Amount"), self.amount(refund)),
            (_("Order"), refund.order.reference),
            (_("Sold by"), self.sold_by(refund)),
            (_("Taken back in"), str(refund.refunding_store)),
            (_("Asked by"), f"{self.asked_by(refund)} {refund.cashier}".strip()),
            (_("Why it waits"), " ".join(self._why(refund)) or NOTHING),
            (_("Until"), moment(allowing.expires_at(refund))),
            (_("Reason"), f"{reason}: {refund.reason_text}" if refund.reason_text else reason),
        ]
