"""What stands on the paper for the customer, in the language of the store's country; printed and drawn from the same facts."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from refunds import following, market
from refunds.desk import wording
from refunds.handing_over import HandedOver
from refunds.models import PaperKind, Refund
from stores.models import Store


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One line: what it is, and what it says; a list of goods has line breaks."""

    label: str
    value: str


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A paper in finished words.

    `mark` is "KOPI" on a copy, `warning` stands under the title of what is no receipt, `follow` is the customer's link or
    empty.
    """

    language: str
    name: str
    title: str
    mark: str
    warning: str
    seller: str
    organisation: str
    store: str
    address: str
    facts: tuple[Fact, ...]
    amount_label: str
    amount: str
    sentences: tuple[str, ...]
    follow: str
    follow_label: str
    foot: str


def sheet_of(refund: Refund, handed: HandedOver, *, printed_at: datetime) -> Sheet:
    """The paper as it is printed now. `refund` as `queries.refund_for` gives it; `printed_at` is aware."""
    store = refund.refunding_store
    language = market.language_of(store.country)
    with translation.override(language), timezone.override(ZoneInfo(store.time_zone)):
        kind = PaperKind(handed.paper.kind)
        seller, organisation = store.seller
        return Sheet(
            language=language,
            name=_file_name(refund, handed),
            title=_title(kind),
            mark=_("COPY") if handed.copy else "",
            warning=_("Not a receipt: nothing has been refunded yet.") if kind == PaperKind.REQUEST else "",
            seller=seller,
            organisation=_("Organisation no. %(number)s") % {"number": organisation} if organisation else "",
            store=store.name,
            address=store.address or store.city,
            facts=tuple(fact for fact in _facts(refund, handed, kind) if fact.value),
            amount_label=f"{_amount_label(kind)} ({refund.currency})",
            amount=wording.money(refund.shown_minor, refund.currency),
            sentences=_sentences(refund, kind),
            follow=following.link_of(refund),
            follow_label=_("Scan to follow your refund"),
            foot=_foot(handed, printed_at),
        )


def _title(kind: PaperKind) -> str:
    return {
        PaperKind.RECEIPT: _("Refund receipt"),
        PaperKind.RELEASE: _("Confirmation of a released reservation"),
        PaperKind.REQUEST: _("Confirmation of a requested refund"),
    }[kind]


def _amount_label(kind: PaperKind) -> str:
    return {
        PaperKind.RECEIPT: pgettext("sum on a paper", "Refunded"),
        PaperKind.RELEASE: pgettext("sum on a paper", "Released"),
        PaperKind.REQUEST: pgettext("sum on a paper", "Asked for"),
    }[kind]


def _facts(refund: Refund, handed: HandedOver, kind: PaperKind) -> list[Fact]:
    order = refund.order
    ended = {PaperKind.RECEIPT: _("Refunded on"), PaperKind.RELEASE: _("Released on"), PaperKind.REQUEST: _("Asked for on")}
    when = refund.ended_at if kind != PaperKind.REQUEST and refund.ended_at else refund.accepted_at
    reason = f"{refund.get_reason_display()}: {refund.reason_text}" if refund.reason_text else refund.get_reason_display()
    return [
        Fact(label=_("Receipt no."), value=handed.paper.number),
        Fact(label=ended[kind], value=wording.day_and_time(when)),
        Fact(label=pgettext("name of a refund", "Refund"), value=str(refund)),
        Fact(label=_("Bought on"), value=wording.day_and_time(order.paid_at)),
        Fact(label=_("Bought in"), value=_origin(order.store, refund.refunding_store)),
        Fact(label=_("Receipt of the purchase"), value=order.receipt_number),
        Fact(label=_("Goods"), value=_goods(refund)),
        Fact(label=_("Paid with"), value=market.app_of(order.sales_unit.market)),
        Fact(label=_("Why"), value=reason),
        Fact(label=_("Served by"), value=_served_by(refund)),
    ]


def _origin(sold: Store, refunding: Store) -> str:
    """The store that sold; with its own company where that is another one than the paper's."""
    place = f"{sold.name}, {sold.city}"
    if sold.seller == refunding.seller:
        return place
    return " · ".join(part for part in (place, *sold.seller) if part)


def _goods(refund: Refund) -> str:
    """What comes back, a line each; empty where the refund names a sum alone."""
    lines = refund.lines.select_related("line").order_by("line__number")
    return "\n".join(f"{wording.quantity(each.quantity)} × {each.line.name}" for each in lines)


def _served_by(refund: Refund) -> str:
    return refund.cashier or str(refund.requested_by or refund.requested_by_system or "")


def _sentences(refund: Refund, kind: PaperKind) -> tuple[str, ...]:
    told = following.told_of(refund).sentences
    if kind != PaperKind.RECEIPT:
        return told
    return (*told, _("VAT is stated on the receipt of the purchase."))


def _foot(handed: HandedOver, printed_at: datetime) -> str:
    said = {"when": wording.day_and_time(printed_at), "copy": handed.copy}
    return _("Copy %(copy)s, printed %(when)s") % said if handed.copy else _("Printed %(when)s") % said


def _file_name(refund: Refund, handed: HandedOver) -> str:
    """A name for the file, of plain characters only."""
    name = handed.paper.number or str(refund)
    return "".join(character if character.isascii() and character.isalnum() else "-" for character in name)
