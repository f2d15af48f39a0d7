"""The order index: one row per Vipps payment of the chain, by (sales unit, reference)."""

import re
from datetime import datetime

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Reverse
from django.utils.translation import gettext_lazy as _

from stores import clock
from stores.models.append_only import never_deleted
from stores.models.people import User
from stores.models.store import Channel, SalesUnit, Store

_NOT_IN_KEYS = re.compile(r"[^A-Z0-9]+")


def reference_key(reference: str) -> str:
    """What search compares: upper case, letters and digits only ("ber-1004 2" gives "BER10042")."""
    key = reference.upper().replace("-", "")
    return key if key.isascii() and key.isalnum() else _NOT_IN_KEYS.sub("", key)


class PaidAtFrom(models.IntegerChoices):
    """Where the time of a payment comes from; a higher one takes the place of a lower one, whichever came first."""

    CLAIMED = 1, _("claimed by the store")
    CAPTURED = 2, _("captured, said Vipps")
    RESERVED = 3, _("reserved, said Vipps")


class Order(models.Model):
    """What was bought: one Vipps payment. Identity is immutable; facts are claimed by a store or confirmed by Vipps.

    `claimed_minor` is what the store says was captured; `captured_minor` what Vipps said, null until read.
    `paid_at_from` says whose time `paid_at` is; where it is Vipps', `claimed_paid_at` keeps what the store said.
    `confirmed_at` is the moment for which Vipps' figures hold, null while everything is claimed.
    All amounts are minor units of `currency`. What is left to refund lives in the refunds app.
    """

    public_id = models.UUIDField(_("public id"), default=clock.new_id, unique=True, editable=False)
    # Both are the first column of an index below: one more of each would only cost every row that comes in.
    sales_unit = models.ForeignKey(
        SalesUnit, verbose_name=_("sales unit"), on_delete=models.PROTECT, related_name="orders", db_index=False
    )
    store = models.ForeignKey(
        Store, verbose_name=_("store"), on_delete=models.PROTECT, related_name="orders", db_index=False
    )
    reference = models.CharField(_("reference"), max_length=64, db_collation="C")
    ref_key = models.CharField(max_length=64, db_collation="C", editable=False)
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices, default=Channel.IN_STORE)
    currency = models.CharField(_("currency"), max_length=3)
    claimed_minor = models.BigIntegerField(_("claimed amount"), null=True, blank=True)
    captured_minor = models.BigIntegerField(_("captured amount"), null=True, blank=True)
    refunded_seen_minor = models.BigIntegerField(_("refunded at Vipps when last read"), null=True, blank=True)
    uncaptured_seen_minor = models.BigIntegerField(_("reserved and not taken at Vipps when last read"), null=True, blank=True)
    paid_at = models.DateTimeField(_("paid"))
    paid_at_from = models.PositiveSmallIntegerField(
        _("whose time that is"),
        choices=PaidAtFrom.choices,
        default=PaidAtFrom.CLAIMED,
        db_default=PaidAtFrom.CLAIMED,
    )
    claimed_paid_at = models.DateTimeField(_("paid, said the store"), null=True, blank=True)
    receipt_number = models.CharField(_("receipt number"), max_length=40, blank=True)
    indexed_at = models.DateTimeField(_("indexed"), default=clock.db_now)
    updated_at = models.DateTimeField(_("updated"), default=clock.db_now)
    confirmed_at = models.DateTimeField(_("confirmed by Vipps"), null=True, blank=True)

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        constraints = [
            models.UniqueConstraint(fields=["sales_unit", "reference"], name="order_once_per_sales_unit"),
            models.CheckConstraint(
                condition=(Q(claimed_minor__gt=0) | Q(claimed_minor=None))
                & (Q(captured_minor__gte=0) | Q(captured_minor=None)),
                name="order_amounts_are_positive",
            ),
        ]
        indexes = [
            models.Index(fields=["ref_key", "paid_at", "id"], name="order_ref_key"),
            # PostgreSQL reads only the index of an expression if the column itself lies in it too.
            models.Index(Reverse("ref_key"), "paid_at", "id", name="order_ref_key_end", include=["ref_key"]),
            models.Index(fields=["-paid_at", "-id"], include=["ref_key"], name="order_newest"),
            models.Index(fields=["store", "-paid_at", "-id"], include=["ref_key"], name="order_store_newest"),
            models.Index(fields=["store", "claimed_minor", "-paid_at"], name="order_store_amount"),
            models.Index(
                fields=["store", "captured_minor", "-paid_at"],
                name="order_store_captured",
                condition=Q(claimed_minor=None)
                | Q(captured_minor__lt=F("claimed_minor"))
                | Q(captured_minor__gt=F("claimed_minor")),
            ),
            models.Index(fields=["receipt_number"], name="order_receipt_number", condition=Q(receipt_number__gt="")),
            models.Index(fields=["updated_at", "id"], name="order_updated"),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="order_identity_is_immutable",
                fields=["public_id", "sales_unit", "store", "reference", "ref_key", "currency"],
            ),
            *never_deleted("order"),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def amount_minor(self) -> int:
        """What can be refunded at most: the captured amount where Vipps has confirmed it, else the store's claim."""
        amount = self.captured_minor if self.captured_minor is not None else self.claimed_minor
        return amount or 0

    @property
    def claimed_time(self) -> datetime | None:
        """When the store says it was paid; None where no store has told of the order."""
        return self.paid_at if self.paid_at_from == PaidAtFrom.CLAIMED else self.claimed_paid_at

    @property
    def releasable_minor(self) -> int:
        """What a release would let go: all that was reserved when Vipps was last read, as long as none of it was taken."""
        return 0 if self.captured_minor else self.uncaptured_seen_minor or 0


class OrderLine(models.Model):
    """One line of what was bought, when the till sent lines. `amount_minor` is the whole line's."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="lines")
    number = models.PositiveSmallIntegerField(_("line"))
    name = models.CharField(_("name"), max_length=200)
    sku = models.CharField(_("SKU"), max_length=80, blank=True)
    quantity = models.DecimalField(_("quantity"), max_digits=12, decimal_places=3)
    amount_minor = models.BigIntegerField(_("amount"))

    class Meta:
        verbose_name = _("order line")
        verbose_name_plural = _("order lines")
        ordering = [F("number")]
        constraints = [models.UniqueConstraint(fields=["order", "number"], name="order_line_number_once")]

    def __str__(self) -> str:
        return self.name


class Settlement(models.TextChoices):
    """What somebody at headquarters made of a contradiction; either way the order stays as it is."""

    HUB_IS_RIGHT = "hub_is_right", _("the hub's facts stand; who said otherwise is wrong")
    NOTED = "noted", _("what was said is right; it is noted, and the order stays as it is")


class OrderConflict(models.Model):
    """Somebody contradicts an order: another sync, which changed nothing, or Vipps, whose facts stand beside the claims.

    It waits for somebody at headquarters; one with Vipps ends by itself where later facts agree.
    A settlement without a person is none: both sides came to agree by themselves.
    """

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="conflicts")
    said_by = models.CharField(_("said by"), max_length=160)
    claims = models.JSONField(_("what it said"))
    differences = models.JSONField(_("what differs"))
    seen_at = models.DateTimeField(_("seen"), default=clock.db_now)
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)
    settlement = models.CharField(_("what it came to"), max_length=12, choices=Settlement.choices, blank=True)
    settled_by = models.ForeignKey(
        User, verbose_name=_("settled by"), on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    reason = models.CharField(_("reason"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("contradiction")
        verbose_name_plural = _("contradictions")
        constraints = [
            models.UniqueConstraint(fields=["order", "claims"], condition=Q(settled_at=None), name="conflict_said_once")
        ]

    def __str__(self) -> str:
        return f"{self.order}: {self.said_by}"
