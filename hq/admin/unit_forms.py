"""Forms for a sales unit: what it is, and where it sells from when."""

from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminSplitDateTimeWidget, UnfoldAdminTextInputWidget

from hq.admin.verb_page import ReasonForm, VerbForm
from stores.errors import HubError
from stores.models import Channel, Company, Environment, SalesUnit, Store, StoreUnit
from stores.models.store import CURRENCY_OF_MARKET


class PlaceForm(VerbForm):
    """Where and from when a unit sells."""

    store = forms.ModelChoiceField(
        label=_("Store"), queryset=Store.objects.none(), widget=UnfoldAdminSelectWidget(), empty_label=None
    )
    reference_prefix = forms.CharField(
        label=_("Reference prefix"),
        required=False,
        max_length=30,
        validators=[RegexValidator(r"^[A-Za-z0-9-]*$", _("Letters, digits and hyphens only."))],
        widget=UnfoldAdminTextInputWidget(),
        help_text=_("Only where several stores share the unit: it tells their references apart."),
    )
    channel = forms.ChoiceField(label=_("Channel"), choices=Channel.choices, widget=UnfoldAdminSelectWidget())
    valid_from = forms.SplitDateTimeField(
        label=_("Sells from"),
        widget=UnfoldAdminSplitDateTimeWidget(),
        help_text=_("Orders paid before this are not taken for this store."),
    )

    def __init__(self, data: Any = None, *, company: Company) -> None:
        super().__init__(data)
        stores: Any = self.fields["store"]
        stores.queryset = Store.objects.filter(company=company, closed_at=None).order_by("code")

    def facts(self) -> dict[str, Any]:
        """The cleaned data as the registry's verbs name it: a form's own `prefix` is something else."""
        facts = {**self.cleaned_data}
        facts["prefix"] = facts.pop("reference_prefix")
        return facts

    def field_of(self, error: HubError) -> str | None:
        return "reference_prefix" if error.field == "prefix" else super().field_of(error)


class StopSellingForm(ReasonForm):
    """Which store sells through the unit no longer, and since when."""

    link = forms.ModelChoiceField(
        label=_("Store"), queryset=StoreUnit.objects.none(), widget=UnfoldAdminSelectWidget(), empty_label=None
    )
    until = forms.SplitDateTimeField(
        label=_("Sold until"),
        widget=UnfoldAdminSplitDateTimeWidget(),
        help_text=_("Orders paid before this stay the store's, and are refunded through this unit."),
    )
    field_order = ("link", "until", "reason")

    def __init__(self, data: Any = None, *, unit: SalesUnit) -> None:
        super().__init__(data)
        links: Any = self.fields["link"]
        links.queryset = StoreUnit.objects.filter(sales_unit=unit, valid_until=None).select_related("store", "sales_unit")


class AddUnitForm(PlaceForm):
    """What a new sales unit needs; the currency follows from the market."""

    msn = forms.CharField(
        label=_("MSN"),
        max_length=10,
        validators=[RegexValidator(r"^[0-9]{4,10}$", _("Four to ten digits."))],
        widget=UnfoldAdminTextInputWidget(attrs={"autofocus": True, "inputmode": "numeric"}),
        help_text=_("The merchant serial number, from Vipps MobilePay's business portal."),
    )
    name = forms.CharField(label=_("Name"), max_length=120, widget=UnfoldAdminTextInputWidget())
    market = forms.ChoiceField(
        label=_("Market"), choices=[(m, m) for m in CURRENCY_OF_MARKET], widget=UnfoldAdminSelectWidget()
    )
    environment = forms.ChoiceField(label=_("Environment"), choices=Environment.choices, widget=UnfoldAdminSelectWidget())

    field_order = ("msn", "name", "market", "environment", "store", "reference_prefix", "channel", "valid_from")
