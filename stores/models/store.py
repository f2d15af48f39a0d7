"""A company, its stores, its sales units, and which store sold through which unit when."""

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from stores import clock


class Environment(models.TextChoices):
    """Which Vipps MobilePay the unit lives in; part of every payment's identity."""

    PRODUCTION = "production", _("production")
    TEST = "test", _("test (MT)")
    SIMULATOR = "simulator", _("simulator")


class Channel(models.TextChoices):
    """How the unit sells; a store may have one unit per channel."""

    IN_STORE = "in_store", _("in store")
    ONLINE = "online", _("online")


CURRENCY_OF_MARKET = {"NO": "NOK", "DK": "DKK", "FI": "EUR", "SE": "SEK"}


ORGANISATION_NUMBER = RegexValidator(r"^[A-Za-z0-9][A-Za-z0-9 .-]*$", _("Letters, digits, spaces, points and hyphens."))


class Company(models.Model):
    """The chain. Name and number stand on receipts of every store that is no company of its own."""

    name = models.CharField(_("name"), max_length=200)
    organisation_number = models.CharField(
        _("organisation number"), max_length=30, blank=True, validators=[ORGANISATION_NUMBER]
    )
    reference_template = models.CharField(_("how references are written"), max_length=80, blank=True, default="", db_default="")

    class Meta:
        verbose_name = _("company")
        verbose_name_plural = _("companies")

    def __str__(self) -> str:
        return self.name


class Store(models.Model):
    """A place that sells and takes goods back. A closed store keeps its orders refundable and loses its own rights.

    `legal_name` and `organisation_number` are empty where the chain's company itself keeps the store.
    """

    public_id = models.UUIDField(_("public id"), default=clock.new_id, unique=True, editable=False)
    company = models.ForeignKey(Company, verbose_name=_("company"), on_delete=models.PROTECT, related_name="stores")
    code = models.CharField(_("code"), max_length=20, validators=[RegexValidator(r"^[A-Z0-9]{2,20}$")])
    name = models.CharField(_("name"), max_length=120)
    city = models.CharField(_("city"), max_length=80)
    country = models.CharField(_("country"), max_length=2)
    time_zone = models.CharField(_("time zone"), max_length=40, default="Europe/Oslo")
    address = models.CharField(_("address"), max_length=200, blank=True)
    legal_name = models.CharField(_("registered name"), max_length=200, blank=True)
    organisation_number = models.CharField(
        _("organisation number"), max_length=30, blank=True, validators=[ORGANISATION_NUMBER]
    )
    opened_at = models.DateTimeField(_("opened"), default=clock.db_now)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)

    class Meta:
        verbose_name = _("store")
        verbose_name_plural = _("stores")
        constraints = [models.UniqueConstraint(fields=["company", "code"], name="store_code_per_company")]

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"

    @property
    def is_open(self) -> bool:
        return self.closed_at is None

    @property
    def seller(self) -> tuple[str, str]:
        """Name and organisation number of the company that keeps the store; never one's name with another's number."""
        if self.legal_name or self.organisation_number:
            return self.legal_name or self.company.name, self.organisation_number
        return self.company.name, self.company.organisation_number


class SalesUnit(models.Model):
    """A Vipps MobilePay sales unit: the MSN that received a payment is the only one that can refund it."""

    public_id = models.UUIDField(_("public id"), default=clock.new_id, unique=True, editable=False)
    company = models.ForeignKey(Company, verbose_name=_("company"), on_delete=models.PROTECT, related_name="sales_units")
    msn = models.CharField(_("MSN"), max_length=10, validators=[RegexValidator(r"^[0-9]{4,10}$")])
    name = models.CharField(_("name"), max_length=120)
    market = models.CharField(_("market"), max_length=2, choices=[(m, m) for m in CURRENCY_OF_MARKET])
    currency = models.CharField(_("currency"), max_length=3, choices=[(c, c) for c in CURRENCY_OF_MARKET.values()])
    environment = models.CharField(_("environment"), max_length=10, choices=Environment.choices)
    key_set = models.ForeignKey("stores.KeySet", on_delete=models.PROTECT, null=True, blank=True, related_name="sales_units")
    stores = models.ManyToManyField(Store, through="stores.StoreUnit", related_name="sales_units")

    class Meta:
        verbose_name = _("sales unit")
        verbose_name_plural = _("sales units")
        constraints = [
            models.UniqueConstraint(fields=["environment", "msn"], name="msn_per_environment"),
            models.CheckConstraint(condition=Q(msn__regex=r"^[0-9]{4,10}$"), name="msn_is_digits"),
        ]

    def __str__(self) -> str:
        return f"{self.name} · {self.msn}"


class StoreUnit(models.Model):
    """That a store sells through a sales unit, from when until when; a shared unit tells stores apart by prefix."""

    store = models.ForeignKey(Store, verbose_name=_("store"), on_delete=models.PROTECT, related_name="units")
    sales_unit = models.ForeignKey(
        SalesUnit, verbose_name=_("sales unit"), on_delete=models.PROTECT, related_name="store_units"
    )
    prefix = models.CharField(_("reference prefix"), max_length=30, blank=True, validators=[RegexValidator(r"^[A-Za-z0-9-]*$")])
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices, default=Channel.IN_STORE)
    valid_from = models.DateTimeField(_("from"))
    valid_until = models.DateTimeField(_("until"), null=True, blank=True)

    class Meta:
        verbose_name = _("store's unit")
        verbose_name_plural = _("stores' units")
        constraints = [
            models.UniqueConstraint(fields=["store", "sales_unit"], condition=Q(valid_until=None), name="store_unit_once_open"),
            models.UniqueConstraint(
                fields=["sales_unit", "prefix"], condition=Q(valid_until=None), name="prefix_once_per_unit"
            ),
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gt=F("valid_from")), name="store_unit_ends_after_start"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.store.code} · {self.sales_unit.msn} · {self.prefix or '—'}"
