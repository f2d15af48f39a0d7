"""A page for one verb: what will happen, a form, a button; the verb decides, the page shows its refusal."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from hq.admin import second_factor
from hq.admin.base import HqAdmin
from stores.errors import HubError

Text = str | Promise


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows to read beside the form."""

    title: Text
    headers: Sequence[Text]
    rows: Sequence[Sequence[Text]]


@dataclass(frozen=True, kw_only=True)
class VerbPage:
    """What a verb's page says.

    `back` is where cancelling leads, and where one lands afterwards. `needs_fresh_proof` asks for the second factor
    again: for keys, people and approvals. `facts` are lines of (label, value) shown above the form, `table` stands below
    it, `warning` is what one should know before one begins.
    """

    title: Text
    explanation: Text
    button: Text
    back: str
    is_dangerous: bool = False
    needs_fresh_proof: bool = False
    facts: list[tuple[Text, Text]] = field(default_factory=list)
    warning: Text = ""
    table: Table | None = None


class VerbForm(forms.Form):
    """A form that the browser neither fills in nor remembers."""

    def field_of(self, error: HubError) -> str | None:
        """The field an error names, or None for the whole form."""
        return error.field if error.field in self.fields else None


class ReasonForm(VerbForm):
    """For a change that only needs to say why."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=200,
        widget=UnfoldAdminTextInputWidget(attrs={"autofocus": True, "autocomplete": "off"}),
        help_text=_("It is written in the trail beside your name."),
    )


def verb_page(
    admin: HqAdmin,
    request: HttpRequest,
    page: VerbPage,
    *,
    form_of: Callable[[Any], VerbForm],
    act: Callable[[Any], Text | HttpResponse],
) -> HttpResponse:
    """Show the form, or act on it.

    `form_of` makes the form from POST data or None. `act` calls one verb with the valid form and gives the sentence
    that says what was done, or a response of its own; a HubError it raises is shown at its field.
    """
    if page.needs_fresh_proof and (elsewhere := second_factor.ask_again(request)):
        return elsewhere
    form = form_of(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            done = act(form)
        except HubError as refusal:
            form.add_error(form.field_of(refusal), str(refusal.sentence))
        else:
            if isinstance(done, HttpResponse):
                return done
            messages.success(request, str(done))
            return HttpResponseRedirect(page.back)
    return TemplateResponse(
        request,
        "admin/verb_page.html",
        {
            **admin.admin_site.each_context(request),
            "title": page.title,
            "opts": admin.model._meta,
            "page": page,
            "form": form,
            "media": form.media,
        },
        status=200 if not form.errors else 422,
    )


def shown_once(
    admin: HqAdmin, request: HttpRequest, *, title: Text, explanation: Text, label: Text, secret: str, back: str
) -> HttpResponse:
    """The one response that carries a fresh secret: never stored, never in the messages, never cached (no admin page is)."""
    return TemplateResponse(
        request,
        "admin/shown_once.html",
        {
            **admin.admin_site.each_context(request),
            "title": title,
            "opts": admin.model._meta,
            "explanation": explanation,
            "label": label,
            "secret": secret,
            "back": back,
        },
    )
