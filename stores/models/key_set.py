"""A set of Vipps API keys: one sales unit's own, or a partner's that many sales units point at."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from stores import clock
from stores.models.store import Company, Environment


class KeySetKind(models.TextChoices):
    """Whose keys they are; a fact about the set, never asked by the refund path."""

    OWN = "own", _("the sales unit's own keys")
    PARTNER = "partner", _("partner keys")


class KeyField(models.TextChoices):
    """The three values of a Vipps key set (Vipps: API keys page)."""

    CLIENT_ID = "client_id", _("client id")
    CLIENT_SECRET = "client_secret", _("client secret")
    SUBSCRIPTION_KEY = "subscription_key", _("subscription key")


class KeySet(models.Model):
    """Names a key set; its values lie sealed in `Secret`, one row per field and version.

    `version` is the active version, 0 while no keys have been entered.
    """

    public_id = models.UUIDField(_("public id"), default=clock.new_id, unique=True, editable=False)
    company = models.ForeignKey(Company, verbose_name=_("company"), on_delete=models.PROTECT, related_name="key_sets")
    kind = models.CharField(_("kind"), max_length=10, choices=KeySetKind.choices)
    name = models.CharField(_("name"), max_length=120)
    environment = models.CharField(_("environment"), max_length=10, choices=Environment.choices)
    subject = models.CharField(_("MSN or partner id"), max_length=40)
    version = models.PositiveIntegerField(_("active version"), default=0)
    fingerprint = models.CharField(_("fingerprint"), max_length=8, blank=True)
    entered_at = models.DateTimeField(_("entered"), null=True, blank=True)
    last_opened_at = models.DateTimeField(_("last opened"), null=True, blank=True)

    class Meta:
        verbose_name = _("key set")
        verbose_name_plural = _("key sets")
        constraints = [models.UniqueConstraint(fields=["environment", "kind", "subject"], name="key_set_once_per_subject")]

    def __str__(self) -> str:
        return self.name

    @property
    def has_keys(self) -> bool:
        return self.version > 0
