"""What Vipps has settled: its own book of funds, line by line as it was read, and how far each sales unit has been read."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from stores import clock
from stores.models.append_only import never_deleted
from stores.models.store import Environment, SalesUnit


class EntryType(models.TextChoices):
    """The entries that the hub asks about; Vipps has more, and new ones may come (Vipps: Report API, entry types)."""

    CAPTURE = "capture", _("captured")
    REFUND = "refund", _("refunded")
    CORRECTION = "correction", _("corrected")
    DISPUTE_LOST = "retained-disputed-capture", _("taken back by the customer's bank")
    DISPUTE_WON = "returned-disputed-capture", _("given back by the customer's bank")


DISPUTES = (EntryType.DISPUTE_LOST, EntryType.DISPUTE_WON)


class SettlementAccess(models.Model):
    """Whether the keys of a sales unit may read its settlement. The row is the work: `next_read_at` says when again.

    `problem` says why it could not be read the last time; a partner's keys never can (Vipps: partner keys).
    """

    sales_unit = models.OneToOneField(
        SalesUnit,
        verbose_name=_("sales unit"),
        on_delete=models.PROTECT,
        primary_key=True,
        related_name="settlement_access",
    )
    next_read_at = models.DateTimeField(_("next reading"), default=clock.db_now)
    nudged_at = models.DateTimeField(null=True, blank=True)
    last_read_at = models.DateTimeField(_("last read"), null=True, blank=True)
    problem = models.CharField(_("why it cannot be read"), max_length=120, blank=True)

    class Meta:
        verbose_name = _("settlement of a sales unit")
        verbose_name_plural = _("settlements of sales units")
        indexes = [models.Index(fields=["next_read_at"], name="settlement_due")]

    def __str__(self) -> str:
        return str(self.sales_unit)


class SettlementFeed(models.Model):
    """How far one ledger has been read with the keys of one sales unit.

    `cursor` is Vipps' own and is kept in the transaction of the entries before it. `complete_at` is when Vipps last said
    that there was no more: what was settled before that has been read, but for what comes into the report late. Since
    `begun_at` it is read from its beginning; `entries`, `orders` (that nobody had told of before) and `latest_at` (when the
    newest entry was booked) count from there.
    """

    sales_unit = models.ForeignKey(
        SalesUnit, verbose_name=_("sales unit"), on_delete=models.PROTECT, related_name="settlement_feeds"
    )
    ledger_id = models.CharField(_("ledger"), max_length=50)
    cursor = models.TextField(blank=True)
    begun_at = models.DateTimeField(_("read from the beginning since"), default=clock.db_now)
    entries = models.PositiveBigIntegerField(_("entries read"), default=0)
    orders = models.PositiveBigIntegerField(_("orders found"), default=0, db_default=0)
    latest_at = models.DateTimeField(_("read until"), null=True, blank=True)
    last_read_at = models.DateTimeField(_("last read"), null=True, blank=True)
    complete_at = models.DateTimeField(_("read to the end"), null=True, blank=True)

    class Meta:
        verbose_name = _("settlement feed")
        verbose_name_plural = _("settlement feeds")
        constraints = [models.UniqueConstraint(fields=["sales_unit", "ledger_id"], name="feed_once_per_ledger")]

    def __str__(self) -> str:
        return f"{self.sales_unit} · {self.ledger_id}"

    @property
    def is_at_its_end(self) -> bool:
        """Whether it has been read to the end since it was begun."""
        return self.complete_at is not None and self.complete_at >= self.begun_at


class SettlementEntry(models.Model):
    """One line of a ledger's funds, as Vipps gave it. Append-only, and once however often it is read.

    `amount_minor` is signed: refunds and disputes that were lost are negative. `sales_unit` is whose payment it was, null
    while the hub does not know the one that Vipps names, and then given once. A capture and its dispute may share a
    `psp_reference`.
    """

    environment = models.CharField(_("environment"), max_length=10, choices=Environment.choices)
    ledger_id = models.CharField(_("ledger"), max_length=50)
    sales_unit = models.ForeignKey(
        SalesUnit,
        verbose_name=_("sales unit"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="settlement_entries",
    )
    entry_type = models.CharField(_("kind"), max_length=60)
    psp_reference = models.CharField(_("Vipps' reference"), max_length=80, blank=True)
    reference = models.CharField(_("reference"), max_length=80, blank=True, db_collation="C")
    amount_minor = models.BigIntegerField(_("amount"))
    currency = models.CharField(_("currency"), max_length=10)
    at = models.DateTimeField(_("booked by Vipps"))
    ledger_date = models.DateField(_("ledger date"))
    read_at = models.DateTimeField(_("read"), default=clock.db_now)

    class Meta:
        verbose_name = _("settlement entry")
        verbose_name_plural = _("settlement entries")
        constraints = [
            models.UniqueConstraint(
                fields=["environment", "ledger_id", "psp_reference", "entry_type", "at", "amount_minor"],
                name="settled_once",
            )
        ]
        indexes = [
            models.Index(fields=["sales_unit", "reference"], name="settled_of_payment"),
            models.Index(fields=["read_at"], name="settled_lately", condition=~Q(entry_type=EntryType.CAPTURE)),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="settlement_entry_no_update", exclude=["sales_unit"]),
            pgtrigger.Protect(
                name="settlement_entry_keeps_its_unit",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__sales_unit__isnull=False),
            ),
            *never_deleted("settlement_entry"),
        ]

    def __str__(self) -> str:
        return f"{self.entry_type} {self.amount_minor} {self.reference}"
