"""The form of a policy draft: why and from when, its rules and its reasons, each a row that can be left empty."""

from typing import Any

from django import forms
from django.forms import BaseFormSet, formset_factory
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from hq.admin.verb_page import VerbForm
from refunds import notes
from refunds.desk.amounts import parse_amount
from refunds.models import AskerRole, Measure, Tier
from refunds.models.policy import LONGEST_LABEL, MOST_DAYS
from refunds.policies import Content
from refunds.rulebooks import ReasonChoice, Rulebook
from refunds.rules import Rule
from refunds.telling import LANGUAGES
from stores.models import Company, Store
from stores.money import CURRENCIES

SPARE_ROWS = 3
_ANY = [("", _("any"))]
_CURRENCIES = [("", "—"), *((currency, currency) for currency in CURRENCIES)]
_LANGUAGE_NAMES = {"en": "English", "nb": "Norsk", "da": "Dansk", "sv": "Svenska", "fi": "Suomi"}


class DraftForm(VerbForm):
    """Why it is made and from when it holds."""

    note = forms.CharField(
        label=_("What changes, and why"),
        max_length=notes.LONGEST_NOTE,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2, "autocomplete": "off"}),
        help_text=_("It is written in the trail beside your name."),
    )
    in_force_from = forms.DateTimeField(
        label=_("Holds from"),
        input_formats=["%Y-%m-%dT%H:%M"],
        widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"}),
        help_text=_("Headquarters' time. Where it has passed when another person agrees, it holds from that moment."),
    )


class RowForm(forms.Form):
    """A row of a table: the column's head is the label to see, each field says it for those who do not see."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = str(field.label)


class RuleForm(RowForm):
    """One rule; a row without a limit, a condition or a choice of its own is no rule."""

    above = forms.CharField(label=_("More than"), required=False, widget=UnfoldAdminTextInputWidget(attrs={"size": 8}))
    currency = forms.ChoiceField(
        label=_("Currency"), choices=_CURRENCIES, required=False, widget=UnfoldAdminSelectWidget()
    )
    measure = forms.ChoiceField(
        label=_("In"), choices=Measure.choices, initial=Measure.REFUND.value, widget=UnfoldAdminSelectWidget()
    )
    role = forms.ChoiceField(
        label=_("Asked for by"), choices=[*_ANY, *AskerRole.choices], required=False, widget=UnfoldAdminSelectWidget()
    )
    store = forms.ModelChoiceField(
        label=_("Refunded in"),
        queryset=Store.objects.none(),
        required=False,
        empty_label=_("any"),
        widget=UnfoldAdminSelectWidget(),
    )
    older_than_days = forms.IntegerField(
        label=_("Days since payment"),
        required=False,
        min_value=0,
        max_value=MOST_DAYS,
        widget=UnfoldAdminIntegerFieldWidget(),
    )
    reason = forms.CharField(
        label=_("Reason’s code"), required=False, max_length=20, widget=UnfoldAdminTextInputWidget(attrs={"size": 10})
    )
    without_receipt = forms.BooleanField(label=_("No receipt"), required=False, widget=UnfoldBooleanWidget())
    allowed_by = forms.ChoiceField(
        label=_("Who may allow it"), choices=Tier.choices, initial=Tier.STORE.value, widget=UnfoldAdminSelectWidget()
    )

    field_order = ("above", "currency", "measure", "allowed_by")

    def __init__(self, *args: Any, company: Company, **options: Any) -> None:
        super().__init__(*args, **options)
        stores: Any = self.fields["store"]
        stores.queryset = Store.objects.filter(company=company).order_by("code")

    def clean_above(self) -> int:
        """Minor units; nothing is zero."""
        typed = self.cleaned_data["above"].strip()
        if not typed:
            return 0
        try:
            return parse_amount(typed)
        except ValueError as error:
            raise forms.ValidationError(_("Write an amount such as 250 or 250,50."), code="amount") from error

    def rule(self) -> Rule:
        """What the valid row says."""
        said = self.cleaned_data
        return Rule(
            measure=Measure(said["measure"]),
            above_minor=said["above"],
            allowed_by=Tier(said["allowed_by"]),
            currency=said["currency"],
            role=said["role"],
            store_id=said["store"].pk if said["store"] else None,
            older_than_days=said["older_than_days"] or 0,
            reason=said["reason"].strip(),
            without_receipt=said["without_receipt"],
        )


class ReasonForm(RowForm):
    """One reason in every language."""

    code = forms.CharField(label=_("Code"), max_length=20, widget=UnfoldAdminTextInputWidget(attrs={"size": 10}))
    needs_words = forms.BooleanField(label=_("Needs words"), required=False, widget=UnfoldBooleanWidget())

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for language in LANGUAGES:
            name = _LANGUAGE_NAMES[language]
            widget = UnfoldAdminTextInputWidget(attrs={"lang": language, "aria-label": name})
            self.fields[f"label_{language}"] = forms.CharField(label=name, max_length=LONGEST_LABEL, widget=widget)
        self.order_fields(["code", *(f"label_{language}" for language in LANGUAGES), "needs_words"])

    def reason(self) -> ReasonChoice:
        """What the valid row says."""
        labels = {language: self.cleaned_data[f"label_{language}"] for language in LANGUAGES}
        return ReasonChoice(
            code=self.cleaned_data["code"], labels=labels, needs_words=self.cleaned_data["needs_words"]
        )


class Rows(BaseFormSet):  # type: ignore[type-arg]  # generic for the type checker alone
    """Rows with a few to spare; any may be left out."""

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        form.fields["DELETE"].label = _("Leave out")
        form.fields["DELETE"].widget = UnfoldBooleanWidget(attrs={"aria-label": str(_("Leave out"))})


RuleRows = formset_factory(RuleForm, formset=Rows, extra=SPARE_ROWS, can_delete=True)
ReasonRows = formset_factory(ReasonForm, formset=Rows, extra=SPARE_ROWS, can_delete=True)


class DraftPage:
    """The three forms of one page, filled from `start` until something was posted."""

    def __init__(self, posted: Any, *, company: Company, start: Content) -> None:
        rules = [_shown_rule(rule) for rule in start.rules]
        reasons = [_shown_reason(reason) for reason in start.reasons]
        when = f"{localtime(start.in_force_from):%Y-%m-%dT%H:%M}"
        self.about = DraftForm(posted, initial={"note": start.note, "in_force_from": when})
        self.rules: BaseFormSet[Any] = RuleRows(posted, initial=rules, prefix="rules", form_kwargs={"company": company})
        self.reasons: BaseFormSet[Any] = ReasonRows(posted, initial=reasons, prefix="reasons")

    def is_valid(self) -> bool:
        """All three, so that everything that is wrong is shown at once."""
        return all([self.about.is_valid(), self.rules.is_valid(), self.reasons.is_valid()])

    def content(self) -> Content:
        """What the valid page says."""
        return Content(
            note=self.about.cleaned_data["note"],
            in_force_from=self.about.cleaned_data["in_force_from"],
            rules=tuple(row.rule() for row in _kept(self.rules)),
            reasons=tuple(row.reason() for row in _kept(self.reasons)),
        )


def starting_from(book: Rulebook, *, now: Any) -> Content:
    """A new draft begins with what holds now."""
    return Content(note="", in_force_from=now, rules=book.rules, reasons=book.reasons)


def _kept(rows: Any) -> list[Any]:
    spare = rows.initial_form_count()
    return [
        row
        for number, row in enumerate(rows.forms)
        if not row.cleaned_data.get("DELETE") and (number < spare or row.has_changed())
    ]


def _shown_rule(rule: Rule) -> dict[str, Any]:
    is_limited = bool(rule.currency)
    return {
        "above": f"{rule.above_minor // 100},{rule.above_minor % 100:02d}" if is_limited else "",
        "currency": rule.currency,
        "measure": rule.measure.value,
        "role": rule.role,
        "store": rule.store_id,
        "older_than_days": rule.older_than_days or None,
        "reason": rule.reason,
        "without_receipt": rule.without_receipt,
        "allowed_by": rule.allowed_by.value,
    }


def _shown_reason(reason: ReasonChoice) -> dict[str, Any]:
    labels = {f"label_{language}": reason.labels[language] for language in LANGUAGES}
    return {"code": reason.code, "needs_words": reason.needs_words, **labels}
