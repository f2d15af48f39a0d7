"""Forms that take Vipps keys in; a form never gives one back, not even to correct a typing error."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from hq.admin.verb_page import VerbForm
from stores.credentials import VippsKeys
from stores.models import Company, Environment, KeySet, KeySetKind, SalesUnit


def _secret(label: Any) -> forms.CharField:
    # "off" is ignored by password managers; "new-password" is what keeps them from filling in the person's own.
    attrs = {"autocomplete": "off new-password", "spellcheck": "false"}
    return forms.CharField(label=label, max_length=200, widget=UnfoldAdminPasswordWidget(attrs=attrs))


class KeysForm(VerbForm):
    """The three values of one key set."""

    client_id = _secret(_("client_id"))
    client_secret = _secret(_("client_secret"))
    subscription_key = _secret(_("Ocp-Apim-Subscription-Key"))

    def keys(self) -> VippsKeys:
        """The values as one masked thing."""
        return VippsKeys(
            client_id=self.cleaned_data["client_id"],
            client_secret=self.cleaned_data["client_secret"],
            subscription_key=self.cleaned_data["subscription_key"],
        )


class AddPartnerSetForm(KeysForm):
    """A partner's keys, which many sales units can point at."""

    name = forms.CharField(label=_("Name"), max_length=120, widget=UnfoldAdminTextInputWidget(attrs={"autofocus": True}))
    subject = forms.CharField(label=_("Partner id"), max_length=40, widget=UnfoldAdminTextInputWidget())
    environment = forms.ChoiceField(label=_("Environment"), choices=Environment.choices, widget=UnfoldAdminSelectWidget())

    field_order = ("name", "subject", "environment", "client_id", "client_secret", "subscription_key")


class PartnerSetForm(VerbForm):
    """Which partner key set a sales unit shall use: those of its own environment only."""

    key_set = forms.ModelChoiceField(
        label=_("Partner key set"), queryset=KeySet.objects.none(), widget=UnfoldAdminSelectWidget(), empty_label=None
    )

    def __init__(self, data: Any = None, *, unit: SalesUnit) -> None:
        super().__init__(data)
        company: Company = unit.company
        sets: Any = self.fields["key_set"]
        sets.queryset = KeySet.objects.filter(company=company, kind=KeySetKind.PARTNER, environment=unit.environment).order_by(
            "name"
        )
