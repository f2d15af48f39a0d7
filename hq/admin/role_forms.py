"""Forms for people: who somebody is, and which role she holds where."""

from typing import Any

from django import forms
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from hq.admin.verb_page import VerbForm
from stores.models import HQ_ROLES, STORE_ROLES, Company, Membership, Role, Store, User


def _choices(roles: tuple[Role, ...]) -> list[tuple[str, Any]]:
    return [(role.value, role.label) for role in roles]


class RoleForm(VerbForm):
    """A role in a store, or at headquarters where no store is chosen."""

    store = forms.ModelChoiceField(
        label=_("Store"),
        queryset=Store.objects.none(),
        required=False,
        empty_label=_("Headquarters"),
        widget=UnfoldAdminSelectWidget(),
    )
    role = forms.ChoiceField(
        label=_("Role"),
        choices=[(_("In a store"), _choices(STORE_ROLES)), (_("At headquarters"), _choices(HQ_ROLES))],
        widget=UnfoldAdminSelectWidget(),
    )

    def __init__(self, data: Any = None, *, company: Company) -> None:
        super().__init__(data)
        stores: Any = self.fields["store"]
        stores.queryset = Store.objects.filter(company=company, closed_at=None).order_by("code")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "role" in cleaned and (Role(cleaned["role"]) in STORE_ROLES) != (cleaned.get("store") is not None):
            self.add_error("role", _("Cashiers and managers belong to a store, all other roles to headquarters."))
        return cleaned


class AddPersonForm(RoleForm):
    """A new person and her first role."""

    username = forms.CharField(
        label=_("Sign-in name"),
        max_length=150,
        validators=[UnicodeUsernameValidator()],
        widget=UnfoldAdminTextInputWidget(attrs={"autofocus": True, "autocomplete": "off"}),
    )
    first_name = forms.CharField(label=_("First name"), max_length=150, widget=UnfoldAdminTextInputWidget())
    last_name = forms.CharField(label=_("Last name"), max_length=150, widget=UnfoldAdminTextInputWidget())
    email = forms.EmailField(label=_("E-mail"), required=False, widget=UnfoldAdminEmailInputWidget())

    field_order = ("username", "first_name", "last_name", "email", "store", "role")

    def clean_username(self) -> str:
        username = str(self.cleaned_data["username"])
        if User.objects.filter(username__iexact=username).exists():
            raise forms.ValidationError(_("Somebody has that sign-in name already."))
        return username


class ChangeRoleForm(VerbForm):
    """Another role in the same place."""

    role = forms.ChoiceField(label=_("New role"), widget=UnfoldAdminSelectWidget())

    def __init__(self, data: Any = None, *, membership: Membership) -> None:
        super().__init__(data)
        roles = STORE_ROLES if membership.store_id else HQ_ROLES
        choices: Any = self.fields["role"]
        choices.choices = [choice for choice in _choices(roles) if choice[0] != membership.role]
