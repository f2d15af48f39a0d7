"""The order's money: an append-only double-entry ledger, and its balances on one row that is locked."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from refunds.models.refund import Refund
from stores import clock
from stores.models import Order
from stores.models.append_only import append_only, never_deleted


class OrderAccount(models.Model):
    """The balances of one order, minor units of its currency: this is the row that accept and settlement lock.

    `posted` was refunded by us, `external` by somebody else (portal, old till), `reserved` waits for an outcome.
    While `on_hold` no refund of the order is accepted or sent.
    """

    order = models.OneToOneField(Order, on_delete=models.PROTECT, primary_key=True, related_name="account")
    posted_minor = models.BigIntegerField(_("refunded"), default=0)
    external_minor = models.BigIntegerField(_("refunded elsewhere"), default=0)
    reserved_minor = models.BigIntegerField(_("reserved"), default=0)
    on_hold = models.BooleanField(_("on hold"), default=False)
    hold_reason = models.CharField(_("why on hold"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("order's account")
        verbose_name_plural = _("orders' accounts")
        constraints = [
            models.CheckConstraint(
                condition=Q(posted_minor__gte=0, external_minor__gte=0, reserved_minor__gte=0),
                name="balances_are_not_negative",
            )
        ]
        triggers = never_deleted("order_account")

    def __str__(self) -> str:
        return str(self.order.reference)


class Account(models.TextChoices):
    """The accounts of an order's double entry."""

    AVAILABLE = "available", _("available")
    RESERVED = "reserved", _("reserved")
    REFUNDED = "refunded", _("refunded")
    EXTERNAL = "external", _("refunded elsewhere")
    ORPHAN = "orphan", _("ours, without a row")


class EntryKind(models.TextChoices):
    """Why money moved between an order's accounts."""

    RESERVE = "reserve", _("reserved")
    POST = "post", _("refunded")
    VOID = "void", _("released")
    EXTERNAL = "external", _("refunded elsewhere")
    ORPHAN = "orphan", _("ours, without a row")
    CORRECTION = "correction", _("correction")
    RECOGNISED = "recognised", _("recognised as ours")
    REVERSAL = "reversal", _("taken back")


class LedgerEntry(models.Model):
    """One movement: `amount_minor` leaves `debit` and enters `credit`. Append-only.

    `psp_reference` names Vipps' own event for money that we did not move, so that it is counted once.
    """

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="ledger")
    refund = models.ForeignKey(Refund, on_delete=models.PROTECT, null=True, blank=True, related_name="ledger")
    kind = models.CharField(_("kind"), max_length=12, choices=EntryKind.choices)
    debit = models.CharField(_("from"), max_length=12, choices=Account.choices)
    credit = models.CharField(_("to"), max_length=12, choices=Account.choices)
    amount_minor = models.BigIntegerField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    psp_reference = models.CharField(_("Vipps' reference"), max_length=80, blank=True)
    booked_at = models.DateTimeField(_("booked"), default=clock.db_now)

    class Meta:
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger entries")
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="ledger_amount_is_positive"),
            models.CheckConstraint(condition=~Q(debit=F("credit")), name="ledger_has_two_sides"),
            models.UniqueConstraint(
                fields=["refund", "kind"],
                condition=Q(kind__in=[EntryKind.RESERVE, EntryKind.POST, EntryKind.VOID]),
                name="ledger_kind_once_per_refund",
            ),
            models.UniqueConstraint(
                fields=["order", "psp_reference"],
                condition=Q(kind__in=[EntryKind.EXTERNAL, EntryKind.ORPHAN]),
                name="outside_refund_once",
            ),
            models.UniqueConstraint(
                fields=["order", "psp_reference"],
                condition=Q(kind=EntryKind.RECOGNISED),
                name="outside_refund_recognised_once",
            ),
        ]
        triggers = append_only("ledger_entry")

    def __str__(self) -> str:
        return f"{self.kind} {self.amount_minor} {self.currency}"
