"""Payments without a store: Vipps knows them and nobody can say who sold; a person places one, and it becomes an order."""

from typing import Any

from django import forms
from django.contrib.admin import register
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminSelectWidget

from hq.admin.admin_site import site
from hq.admin.asking import actor_of, asker_of
from hq.admin.base import LongListAdmin
from hq.admin.filters import DaysFilter, EndedFilter
from hq.admin.showing import link_to, moment, money, page_of
from hq.admin.verb_page import ReasonForm, VerbPage, verb_page
from stores import orders
from stores.access import Right
from stores.models import Store, UnplacedPayment


class StoreForm(ReasonForm):
    """Which store sold it, and how one knows."""

    store = forms.ModelChoiceField(label=_("Store"), queryset=Store.objects.none(), widget=UnfoldAdminSelectWidget())
    field_order = ("store", "reason")

    def __init__(self, data: Any = None, *, payment: UnplacedPayment) -> None:
        super().__init__(data)
        stores: Any = self.fields["store"]
        found = [store.pk for store in orders.stores_that_may_have_sold(payment)]
        stores.queryset = Store.objects.filter(pk__in=found).order_by("code")


@register(UnplacedPayment, site=site)
class UnplacedPaymentAdmin(LongListAdmin):
    """Those that still wait first in mind; one that has become an order says which."""

    company_path = "sales_unit__company"
    list_display = ("reference", "unit", "amount", "paid_at", "why_label", "store_hint", "seen_at", "order_link")
    list_filter = (("placed_at", EndedFilter), ("why", ChoicesDropdownFilter), ("paid_at", DaysFilter))
    list_select_related = ("sales_unit", "order__store")
    search_fields = ("=reference",)
    search_help_text = _("A whole reference.")
    ordering = ("-seen_at", "-id")
    sortable_by = ()
    fields = readonly_fields = (
        *("reference", "unit", "amount", "refunded", "paid_at", "receipt_number", "why_label", "store_hint", "confirmed_at"),
        *("seen_at", "order_link", "placed_when", "placed_by"),
    )
    actions_detail = ("place",)

    def has_place_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Whether the button is shown; the verb decides again."""
        if not self.may(request, Right.MANAGE_STORES):
            return False
        payment = self.get_object(request, object_id) if object_id else None
        return object_id is None or (payment is not None and payment.order_id is None)

    @display(description=_("sales unit"))
    def unit(self, payment: UnplacedPayment) -> str:
        return str(payment.sales_unit)

    @display(description=_("captured, said Vipps"))
    def amount(self, payment: UnplacedPayment) -> str:
        return money(payment.captured_minor, payment.currency)

    @display(description=_("refunded at Vipps when last read"))
    def refunded(self, payment: UnplacedPayment) -> str:
        return money(payment.refunded_seen_minor, payment.currency)

    @display(description=_("why"))
    def why_label(self, payment: UnplacedPayment) -> str:
        return str(payment.get_why_display())

    @display(description=_("order"))
    def order_link(self, payment: UnplacedPayment) -> Any:
        return link_to(payment.order, f"{payment.order} · {payment.order.store.code}" if payment.order else "")

    @display(description=_("placed"))
    def placed_when(self, payment: UnplacedPayment) -> str:
        return moment(payment.placed_at)

    @action(description=_("Say which store sold it"), permissions=["place"], icon="storefront", variant=ActionVariant.PRIMARY)
    def place(self, request: HttpRequest, object_id: str) -> HttpResponse:
        payment: UnplacedPayment = self.row(request, object_id)

        def act(form: StoreForm) -> Any:
            said = form.cleaned_data
            orders.place_payment(
                payment, said["store"], reason=said["reason"], asker=asker_of(request), by=actor_of(request)
            )
            return _("It is an order now, and can be refunded.")

        page = VerbPage(
            title=_("Which store sold %(reference)s?") % {"reference": payment.reference},
            explanation=_("Refunds of it will be booked on that store. An order's store never changes: be sure."),
            button=_("This store sold it"),
            back=page_of(payment),
            is_dangerous=True,
            facts=[
                (_("sales unit"), self.unit(payment)),
                (_("amount"), self.amount(payment)),
                (_("paid"), moment(payment.paid_at)),
                (_("why"), self.why_label(payment)),
                (_("store named in the payment"), payment.store_hint or "—"),
            ],
        )
        return verb_page(self, request, page, form_of=lambda data: StoreForm(data, payment=payment), act=act)
