"""What a cashier types into the desk, parsed; nothing is decided here."""

import re
import uuid
from decimal import Decimal
from typing import Any, Self

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from refunds.desk.amounts import LONGEST, parse_amount
from refunds.notes import LONGEST_NOTE
from refunds.rulebooks import ReasonChoice, Rulebook
from stores import clock
from stores.models import Company, Store
from stores.search import LONGEST_PAYLOAD

MOST_LINES = 500
_SO_MANY_STORES = 8
_NUMBER = re.compile(r"[1-9][0-9]{0,3}", re.ASCII)
_QUANTITY = re.compile(r"[0-9]{1,9}(\.[0-9]{1,3})?", re.ASCII)


class AmountField(forms.CharField):
    """An amount as people write it; cleaned to minor units."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=LONGEST, **kwargs)

    def clean(self, value: Any) -> int | None:
        """Minor units, or None when left out of an optional field. Raises ValidationError."""
        typed = super().clean(value)
        if not typed:
            return None
        try:
            return parse_amount(typed)
        except ValueError as error:
            raise forms.ValidationError(_("Write an amount such as 250 or 250,50."), code="amount") from error


class ScannedField(forms.CharField):
    """Whatever a scanner or a clipboard gives; a code may hold NUL, which Django would refuse without a word for it."""

    def to_python(self, value: Any) -> str:
        """The text without NUL."""
        return str(super().to_python(str(value or "").replace("\x00", "")))


class StoreField(forms.CharField):
    """A store as people name it: its code, or enough of its name or city to tell it from the others. Cleaned to the store."""

    widget = forms.TextInput(attrs={"list": "store-names", "autocomplete": "off"})

    def __init__(self, *, company: Company, **kwargs: Any) -> None:
        super().__init__(max_length=120, **kwargs)
        self.company = company

    def clean(self, value: Any) -> Store | None:
        """The one store meant, None where nothing was written. Raises ValidationError."""
        typed = " ".join(str(super().clean(value) or "").replace("\x00", "").split())
        if not typed:
            return None
        meant = Q(code__iexact=typed) | Q(name__icontains=typed) | Q(city__icontains=typed)
        found = list(self.company.stores.filter(meant).order_by("name", "code")[:_SO_MANY_STORES])
        whole = [store for store in found if typed.casefold() in (store.code.casefold(), store.name.casefold())]
        if len(whole or found) == 1:
            return (whole or found)[0]
        if not found:
            raise forms.ValidationError(_("No store is called so."), code="store")
        names = ", ".join(store.name for store in found)
        raise forms.ValidationError(_("Which one? %(names)s"), code="store", params={"names": names})


class SearchForm(forms.Form):
    """What she has in hand: a reference or part of one, or amount, day and store."""

    q = ScannedField(max_length=LONGEST_PAYLOAD, required=False)
    amount = AmountField(required=False, label=_("Amount"))
    day = forms.DateField(required=False, label=_("Day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    cursor = forms.CharField(max_length=200, required=False)

    def __init__(self, *args: Any, company: Company, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["store"] = StoreField(company=company, required=False, label=_("Bought in"))

    @property
    def has_filters(self) -> bool:
        """Whether more than the reference was filled in, so that the page shows what narrows the search."""
        return any(self.data.get(name) for name in ("amount", "day", "store"))


class AskVippsForm(forms.Form):
    """A whole reference, and the store that sold, where the customer knows it."""

    reference = forms.CharField(
        max_length=100,
        label=_("The whole reference"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}),
    )

    def __init__(self, *args: Any, company: Company, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "ask_%s", **kwargs})
        any_store = {"list": "ask-store-names", "autocomplete": "off", "placeholder": _("any store: all are asked")}
        self.fields["store"] = StoreField(
            company=company, required=False, label=_("Bought in"), widget=forms.TextInput(attrs=any_store)
        )


class DayForm(forms.Form):
    """One day, or none."""

    day = forms.DateField(required=False, label=_("Day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))


class ShiftNoteForm(forms.Form):
    """A few words for the next shift, and the key that makes a second press the same note."""

    note = forms.CharField(
        max_length=LONGEST_NOTE,
        label=_("What the next person has to know"),
        widget=forms.Textarea(attrs={"rows": 2, "autocomplete": "off"}),
        error_messages={"required": _("Write a few words, or hand over without a note.")},
    )
    press = forms.RegexField(r"^[0-9a-f]{32}$", widget=forms.HiddenInput)


class WishForm(forms.Form):
    """A reason of the rulebook in force, and the key that makes a second press the same wish."""

    reason = forms.ChoiceField(label=_("Why"))
    reason_text = forms.CharField(max_length=200, required=False, label=_("In your own words"))
    request_key = forms.RegexField(r"^[0-9a-f]{32}$", widget=forms.HiddenInput)

    def __init__(self, *args: Any, book: Rulebook, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.book = book
        choices: Any = self.fields["reason"]
        choices.choices = [(reason.code, reason.label) for reason in book.reasons]

    @property
    def reasons(self) -> tuple[ReasonChoice, ...]:
        return self.book.reasons

    def clean(self) -> dict[str, Any]:
        """Ask for words where the reason needs them."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        reason = self.book.reason(cleaned.get("reason", ""))
        if reason is not None and reason.needs_words and not cleaned.get("reason_text"):
            self.add_error("reason_text", forms.ValidationError(_("Say in a few words what it is."), code="required"))
        return cleaned


class RefundForm(WishForm):
    """Goods or an amount, or both, and a reason. Goods without an amount come to what they cost."""

    amount = AmountField(label=_("Amount"), required=False)
    without_receipt = forms.BooleanField(required=False, label=_("The customer has no receipt"))
    confirms_duplicate = forms.BooleanField(required=False, widget=forms.HiddenInput)
    confirms_dispute = forms.BooleanField(required=False, widget=forms.HiddenInput)

    @classmethod
    def fresh(cls, book: Rulebook) -> Self:
        """An empty one, with a key of its own."""
        return cls(initial={"request_key": new_request_key()}, book=book)

    @property
    def asks_for_receipt(self) -> bool:
        """Whether a rule makes a difference for who has none."""
        return any(rule.without_receipt for rule in self.book.rules)

    def clean(self) -> dict[str, Any]:
        """Read the goods, and ask for an amount where there are none."""
        cleaned = super().clean()
        try:
            cleaned["goods"] = read_goods(self.data)
        except ValueError:
            self.add_error(None, forms.ValidationError(_("Say how many go back, such as 1 or 0,5."), code="quantity"))
            cleaned["goods"] = {}
        if not cleaned["goods"] and cleaned.get("amount") is None and "amount" not in self.errors:
            self.add_error("amount", forms.ValidationError(_("Write an amount such as 250 or 250,50."), code="required"))
        return cleaned


def read_id(text: str) -> uuid.UUID | None:
    """An id out of a page's own field or address; None for what is none."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def read_goods(data: Any) -> dict[int, Decimal]:
    """Quantities by line number of what was ticked: `line` names each, `quantity-N` says how many.

    Raises ValueError for what cannot be read.
    """
    numbers = data.getlist("line") if hasattr(data, "getlist") else []
    if len(numbers) > MOST_LINES or not all(_NUMBER.fullmatch(number) for number in numbers):
        raise ValueError("not the number of a line")
    goods = {}
    for number in numbers:
        typed = data.get(f"quantity-{number}", "1").strip().replace(",", ".")
        if not _QUANTITY.fullmatch(typed):
            raise ValueError("not a quantity")
        goods[int(number)] = Decimal(typed)
    return goods


class ReleaseForm(WishForm):
    """A release has no amount: all that is reserved is let go."""


def new_request_key() -> str:
    """A key for one wish to refund, made when the page is rendered and never on the press."""
    return clock.new_id().hex
