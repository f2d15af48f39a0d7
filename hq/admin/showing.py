"""How amounts, rows and links are shown at headquarters; everything shown is escaped."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Model
from django.urls import reverse
from django.utils.formats import localize
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import get_language

from stores.money import in_locale

NOTHING = "—"
_BREAK = SafeString("<br>")


def money(amount_minor: int | None, currency: str) -> str:
    """Minor units in the reader's language; a dash for an amount that is not known."""
    if amount_minor is None:
        return NOTHING
    return in_locale(amount_minor, currency, get_language() or "en")


def page_of(row: Model) -> str:
    """The address of a row's page in the admin."""
    meta = row._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])


def link_to(row: Model | None, text: str = "") -> str | SafeString:
    """A link to a row's page, or a dash."""
    if row is None:
        return NOTHING
    return format_html(
        '<a class="text-primary-600 dark:text-primary-500 hover:underline" href="{}">{}</a>',
        page_of(row),
        text or str(row),
    )


def moment(at: datetime | None) -> str:
    """A time in the reader's zone, as the admin shows its own columns; a dash for none."""
    return str(localize(localtime(at))) if at else NOTHING


def mono(text: str) -> SafeString:
    """A reference, key or hash in fixed width."""
    return format_html('<span class="hq-mono">{}</span>', text or NOTHING)


def listed(items: Iterable[str]) -> str | SafeString:
    """Several short things, one a line."""
    return format_html_join(_BREAK, "{}", ((item,) for item in items)) or NOTHING
