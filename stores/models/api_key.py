"""Store systems and the API keys they own."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from stores import clock
from stores.models.store import Store


class Scope(models.TextChoices):
    """What a store system may do over REST."""

    ORDERS_READ = "orders:read", _("read orders")
    ORDERS_WRITE = "orders:write", _("sync orders")
    REFUNDS_READ = "refunds:read", _("read refunds")
    REFUNDS_WRITE = "refunds:write", _("request refunds")


class StoreSystem(models.Model):
    """A till system or web shop, bound to one store. Its public id, never a key's, stands in refund identities."""

    public_id = models.UUIDField(_("public id"), default=clock.new_id, unique=True, editable=False)
    store = models.ForeignKey(Store, verbose_name=_("store"), on_delete=models.PROTECT, related_name="systems")
    name = models.CharField(_("name"), max_length=120)
    scopes = ArrayField(models.CharField(max_length=20, choices=Scope.choices), verbose_name=_("scopes"))
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created"), default=clock.db_now)

    class Meta:
        verbose_name = _("store system")
        verbose_name_plural = _("store systems")

    def __str__(self) -> str:
        return f"{self.name} · {self.store.code}"

    @property
    def is_authenticated(self) -> bool:
        """For REST framework's permission checks: a store system is always a known caller."""
        return True


class ApiKey(models.Model):
    """One key of a store system: `rhk_<lookup>_<secret>`; only the SHA-256 of the 256-bit secret is kept."""

    system = models.ForeignKey(StoreSystem, verbose_name=_("system"), on_delete=models.PROTECT, related_name="keys")
    lookup = models.CharField(_("key"), max_length=16, unique=True)
    digest = models.BinaryField(max_length=32)
    created_at = models.DateTimeField(_("created"), default=clock.db_now)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")

    def __str__(self) -> str:
        return f"rhk_{self.lookup}_…"
