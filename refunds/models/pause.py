"""That headquarters has stopped refunds: everywhere, of one sales unit, of one store or of one cashier."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from stores import clock
from stores.models import Company, SalesUnit, Store, User
from stores.models.append_only import never_deleted


class PauseScope(models.TextChoices):
    """What a pause stops."""

    EVERYTHING = "everything", _("every refund")
    SALES_UNIT = "sales_unit", _("one sales unit's payments")
    STORE = "store", _("one store: what it refunds and what it sold")
    CASHIER = "cashier", _("what one person asks for")


class Pause(models.Model):
    """While it is open, nothing in its scope is accepted or sent; what was accepted before waits. Rows are kept."""

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="pauses")
    scope = models.CharField(_("what"), max_length=12, choices=PauseScope.choices)
    sales_unit = models.ForeignKey(
        SalesUnit, verbose_name=_("sales unit"), on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    store = models.ForeignKey(Store, verbose_name=_("store"), on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    cashier = models.ForeignKey(
        User, verbose_name=_("cashier"), on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    reason = models.CharField(_("reason"), max_length=200)
    paused_at = models.DateTimeField(_("paused"), default=clock.db_now)
    paused_by = models.CharField(_("by"), max_length=160)
    resumed_at = models.DateTimeField(_("resumed"), null=True, blank=True)
    resumed_by = models.CharField(_("resumed by"), max_length=160, blank=True)

    class Meta:
        verbose_name = _("pause")
        verbose_name_plural = _("pauses")
        constraints = [
            models.CheckConstraint(
                condition=Q(scope=PauseScope.EVERYTHING, sales_unit=None, store=None, cashier=None)
                | Q(scope=PauseScope.SALES_UNIT, sales_unit__isnull=False, store=None, cashier=None)
                | Q(scope=PauseScope.STORE, sales_unit=None, store__isnull=False, cashier=None)
                | Q(scope=PauseScope.CASHIER, sales_unit=None, store=None, cashier__isnull=False),
                name="pause_names_what_its_scope_says",
            ),
            models.UniqueConstraint(
                fields=["company"],
                condition=Q(resumed_at=None, scope=PauseScope.EVERYTHING),
                name="everything_paused_once",
            ),
            models.UniqueConstraint(fields=["sales_unit"], condition=Q(resumed_at=None), name="sales_unit_paused_once"),
            models.UniqueConstraint(fields=["store"], condition=Q(resumed_at=None), name="store_paused_once"),
            models.UniqueConstraint(
                fields=["company", "cashier"], condition=Q(resumed_at=None), name="cashier_paused_once"
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="pause_is_kept",
                fields=["company", "scope", "sales_unit", "store", "cashier", "reason", "paused_at", "paused_by"],
            ),
            *never_deleted("pause"),
        ]

    def __str__(self) -> str:
        return f"{self.get_scope_display()}: {self.subject}" if self.subject else str(self.get_scope_display())

    @property
    def subject(self) -> str:
        """Which unit, store or person; empty for everything."""
        return str(self.sales_unit or self.store or self.cashier or "")
