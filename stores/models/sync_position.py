"""How far a store system's sync has come, in the system's own words."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from stores import clock
from stores.models.api_key import StoreSystem


class SyncPosition(models.Model):
    """One stream of syncs of a store system; `cursor` came with the last batch of it that was indexed, "" for none yet.

    It is opaque to the hub: a till that lost its memory reads it back and goes on from there.
    """

    system = models.ForeignKey(StoreSystem, verbose_name=_("system"), on_delete=models.PROTECT, related_name="sync_positions")
    stream = models.CharField(_("stream"), max_length=40, blank=True)
    cursor = models.CharField(_("cursor"), max_length=200, blank=True)
    rows = models.PositiveIntegerField(_("rows of the last batch"), default=0)
    synced_at = models.DateTimeField(_("last synced"), default=clock.db_now)

    class Meta:
        verbose_name = _("sync position")
        verbose_name_plural = _("sync positions")
        constraints = [models.UniqueConstraint(fields=["system", "stream"], name="sync_position_once_per_stream")]

    def __str__(self) -> str:
        return f"{self.system} · {self.stream or '—'}"
