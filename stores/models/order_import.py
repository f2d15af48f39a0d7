"""Files of orders that headquarters gives in for a store: read in parts by a worker, first for show, then in earnest."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from stores import clock
from stores.models.api_key import StoreSystem
from stores.models.people import User


class ImportState(models.TextChoices):
    """From the upload to its end."""

    REHEARSING = "rehearsing", _("being checked")
    REHEARSED = "rehearsed", _("checked, waits for somebody to start it")
    IMPORTING = "importing", _("being imported")
    DONE = "done", _("imported")
    CANCELLED = "cancelled", _("cancelled")


class OrderImport(models.Model):
    """One file. The row is the work: `next_part` of `parts` is to be done next, whoever does it.

    The counts are those of the present stage: of what would become of the rows while they are checked, of what has
    become of them afterwards. `due_at` is when somebody is to go on, null while nobody has to. `problem` is a sentence as
    it stands in the code: a worker writes it, and knows nobody's language.
    """

    system = models.ForeignKey(StoreSystem, verbose_name=_("store system"), on_delete=models.PROTECT, related_name="imports")
    file_name = models.CharField(_("file"), max_length=200)
    encoding = models.CharField(_("encoding"), max_length=20)
    columns = models.JSONField(_("columns"))
    state = models.CharField(_("state"), max_length=12, choices=ImportState.choices, default=ImportState.REHEARSING)
    rows = models.PositiveIntegerField(_("rows"), default=0)
    parts = models.PositiveIntegerField(default=0)
    next_part = models.PositiveIntegerField(default=1)
    rows_done = models.PositiveIntegerField(_("rows done"), default=0)
    created = models.PositiveIntegerField(_("new"), default=0)
    updated = models.PositiveIntegerField(_("updated"), default=0)
    unchanged = models.PositiveIntegerField(_("unchanged"), default=0)
    conflict = models.PositiveIntegerField(_("contradicting"), default=0)
    refused = models.PositiveIntegerField(_("refused"), default=0)
    asked_by = models.ForeignKey(User, verbose_name=_("asked by"), on_delete=models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField(_("uploaded"), default=clock.db_now)
    started_by = models.ForeignKey(
        User, verbose_name=_("started by"), on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True, default=clock.db_now)
    problem = models.CharField(_("problem"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("import of orders")
        verbose_name_plural = _("imports of orders")
        constraints = [
            models.CheckConstraint(
                condition=Q(due_at=None) | Q(state__in=[ImportState.REHEARSING, ImportState.IMPORTING]),
                name="order_import_is_due_while_it_runs",
            )
        ]
        indexes = [models.Index(fields=["due_at"], name="order_import_due", condition=Q(due_at__isnull=False))]

    def __str__(self) -> str:
        return f"{self.file_name} · {self.system}"

    @property
    def is_running(self) -> bool:
        return self.state in (ImportState.REHEARSING, ImportState.IMPORTING)


class OrderImportPart(models.Model):
    """A bounded number of a file's rows, as JSON: lists of the row's number and its cells, null for a misshapen row.

    Gone once the import has ended: what was said stands in the index.
    """

    order_import = models.ForeignKey(OrderImport, on_delete=models.CASCADE, related_name="content")
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["order_import", "number"], name="order_import_part_once")]

    def __str__(self) -> str:
        return f"{self.order_import} {self.number}"


class OrderImportRow(models.Model):
    """A row of which there is something to say: refused, contradicting, or changing what was known. Not every one is kept.

    `detail` is a sentence as it stands in the code, as an import's `problem` is.
    """

    order_import = models.ForeignKey(OrderImport, on_delete=models.CASCADE, related_name="told")
    number = models.PositiveIntegerField(_("row"))
    outcome = models.CharField(_("outcome"), max_length=10)
    reference = models.CharField(_("reference"), max_length=64, blank=True)
    code = models.CharField(_("code"), max_length=40, blank=True)
    field = models.CharField(_("field"), max_length=80, blank=True)
    detail = models.CharField(_("what it is"), max_length=300, blank=True)
    difference = models.CharField(_("what differs"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("row to look at")
        verbose_name_plural = _("rows to look at")
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["order_import", "number"], name="order_import_row_once")]

    def __str__(self) -> str:
        return f"{self.number}: {self.reference}"
