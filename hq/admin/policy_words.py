"""A policy's rules and reasons as people at headquarters read them, and what a draft changes."""

from collections.abc import Iterable, Mapping

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hq.admin.showing import money
from hq.admin.verb_page import Table, Text
from refunds.models import AskerRole, Measure
from refunds.rulebooks import Rulebook
from refunds.rules import Rule
from stores.models import Store

_LIMITS = {
    Measure.REFUND: gettext_lazy("more than %(limit)s in one refund"),
    Measure.ORDER: gettext_lazy("more than %(limit)s of one order in 24 hours"),
    Measure.CASHIER: gettext_lazy("more than %(limit)s by one cashier in 24 hours"),
    Measure.TILL: gettext_lazy("more than %(limit)s at one till in 24 hours"),
    Measure.STORE: gettext_lazy("more than %(limit)s in one store in 24 hours"),
}


def names_of_stores(books: Iterable[Rulebook]) -> dict[int, str]:
    """The stores that rules name."""
    ids = {rule.store_id for book in books for rule in book.rules if rule.store_id is not None}
    return {store.pk: str(store) for store in Store.objects.filter(pk__in=ids)}


def rule_in_words(rule: Rule, book: Rulebook, stores: Mapping[int, str]) -> str:
    """ "More than 500,00 kr in one refund, asked for by a cashier, without a receipt"."""
    parts = [_limit(rule)]
    if rule.role:
        parts.append(_("asked for by a %(role)s") % {"role": AskerRole(rule.role).label})
    if rule.store_id is not None:
        parts.append(_("in %(store)s") % {"store": stores.get(rule.store_id, rule.store_id)})
    if rule.older_than_days:
        parts.append(_("paid more than %(days)s days ago") % {"days": rule.older_than_days})
    if rule.reason:
        reason = book.reason(rule.reason)
        parts.append(_("because of “%(reason)s”") % {"reason": reason.label if reason else rule.reason})
    if rule.without_receipt:
        parts.append(_("without a receipt"))
    return str(capfirst(", ".join(parts)))


def table_of(book: Rulebook, before: Rulebook | None = None) -> Table:
    """Every rule and who may allow what breaks it; with `before`, what is new and what falls away."""
    stores = names_of_stores([book, *([before] if before else [])])
    headers: list[Text] = [_("Needs a yes"), _("Who may allow it")]
    rows: list[list[Text]] = [_row(rule, book, stores) for rule in book.rules]
    if before is not None:
        headers.append(_("Compared with what holds now"))
        rows = [[*row, _("as now") if rule in before.rules else _("new")] for row, rule in zip(rows, book.rules, strict=True)]
        rows += [[*_row(rule, before, stores), _("falls away")] for rule in before.rules if rule not in book.rules]
    if not rows:
        rows = [[_("Nothing: every refund goes out at once."), *[""] * (len(headers) - 1)]]
    return Table(title=_("Limits"), headers=headers, rows=rows)


def reasons_in_words(book: Rulebook, before: Rulebook | None) -> str:
    """The reasons on one line, or that they stay as they are."""
    if before is not None and book.reasons == before.reasons:
        return _("as now")
    return " · ".join(reason.label for reason in book.reasons)


def reasons_table(book: Rulebook) -> Table:
    """The reasons that cashiers choose from, in every language."""
    return Table(
        title=_("Reasons"),
        headers=[_("Code"), "English", "Norsk", "Dansk", "Svenska", "Suomi", _("Needs words")],
        rows=[
            [reason.code, *reason.labels.values(), _("yes") if reason.needs_words else ""] for reason in book.reasons
        ],
    )


def _row(rule: Rule, book: Rulebook, stores: Mapping[int, str]) -> list[Text]:
    return [rule_in_words(rule, book, stores), rule.allowed_by.label]


def _limit(rule: Rule) -> str:
    if not rule.currency:
        return _("every refund")
    return str(_LIMITS[rule.measure]) % {"limit": money(rule.above_minor, rule.currency)}
