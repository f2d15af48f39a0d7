"""The trail's tables: one hash chain per store and one for headquarters, append-only by trigger."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from stores import clock
from stores.models.append_only import append_only, never_deleted
from stores.models.store import Company, Store


class Chain(models.Model):
    """The head of one chain. `store` empty means headquarters' chain of that company."""

    company = models.ForeignKey(Company, verbose_name=_("company"), on_delete=models.PROTECT, related_name="chains")
    store = models.OneToOneField(
        Store, verbose_name=_("store"), on_delete=models.PROTECT, null=True, blank=True, related_name="chain"
    )
    counter = models.BigIntegerField(default=0)
    head = models.BinaryField(max_length=32, default=bytes(32))

    class Meta:
        verbose_name = _("chain")
        verbose_name_plural = _("chains")
        constraints = [
            models.UniqueConstraint(fields=["company"], condition=models.Q(store__isnull=True), name="one_hq_chain_per_company")
        ]
        triggers = never_deleted("chain")

    def __str__(self) -> str:
        return self.store.code if self.store else "HQ"


class Entry(models.Model):
    """One thing that happened. `canonical` is the exact text that was hashed; the columns beside it are for reading.

    `hash` = SHA-256(0x00 ‖ `previous` ‖ `counter` as 8 bytes big-endian ‖ `digest`), `digest` = SHA-256(canonical).
    """

    chain = models.ForeignKey(Chain, on_delete=models.PROTECT, related_name="entries")
    counter = models.BigIntegerField(_("number"))
    event = models.CharField(_("event"), max_length=60)
    subject_type = models.CharField(_("about"), max_length=30)
    subject_id = models.CharField(_("id"), max_length=64)
    actor_kind = models.CharField(_("kind of actor"), max_length=20)
    actor_id = models.CharField(_("actor's id"), max_length=64, blank=True)
    actor_name = models.CharField(_("by"), max_length=160)
    refunding_store = models.ForeignKey(Store, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    at = models.DateTimeField(_("at"))
    canonical = models.TextField(_("facts"))
    digest = models.BinaryField(max_length=32)
    previous = models.BinaryField(max_length=32)
    hash = models.BinaryField(max_length=32)

    class Meta:
        verbose_name = _("trail entry")
        verbose_name_plural = _("trail entries")
        constraints = [models.UniqueConstraint(fields=["chain", "counter"], name="entry_once_per_counter")]
        indexes = [
            models.Index(fields=["subject_type", "subject_id"], name="entry_subject"),
            models.Index(fields=["-at"], name="entry_at"),
            models.Index(fields=["event", "-at"], name="entry_event"),
        ]
        triggers = append_only("entry")

    def __str__(self) -> str:
        return f"{self.chain_id}/{self.counter} {self.event}"


class LookUp(models.Model):
    """A search somebody made: recorded for the privacy of other stores' orders and counted against the limit."""

    user = models.ForeignKey("stores.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    system = models.ForeignKey("stores.StoreSystem", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    store = models.ForeignKey(Store, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    typed = models.CharField(_("typed"), max_length=100)
    hits = models.PositiveSmallIntegerField(_("hits"))
    at = models.DateTimeField(_("at"), default=clock.db_now)

    class Meta:
        verbose_name = _("look-up")
        verbose_name_plural = _("look-ups")
        indexes = [
            models.Index(fields=["user", "-at"], name="look_up_user"),
            models.Index(fields=["system", "-at"], name="look_up_system"),
        ]

    def __str__(self) -> str:
        return self.typed
