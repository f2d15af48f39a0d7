"""What django-import-export does row by row, with a verb of the registry in the place of a model's save()."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from import_export.instance_loaders import BaseInstanceLoader
from import_export.resources import Resource
from import_export.results import Result

from stores.actors import Actor
from stores.errors import HubError
from stores.models import Company


class SheetResult(Result):
    """Names rows by the numbers that a spreadsheet shows beside them; the library counts those that hold something."""

    def __init__(self, numbers: Sequence[int]) -> None:
        super().__init__()
        self._numbers = numbers

    def append_invalid_row(self, number: int, row: Any, validation_error: Any) -> None:
        super().append_invalid_row(self._numbers[number - 1], row, validation_error)

    def append_error_row(self, number: int, row: Any, errors: Any) -> None:
        super().append_error_row(self._numbers[number - 1], row, errors)

    def row_errors(self) -> list[tuple[int, Any]]:
        return [(self._numbers[number - 1], errors) for number, errors in super().row_errors()]


class VerbResource(Resource):
    """Rows of `row_class`, a dataclass whose fields are the columns. Keys are no column of any.

    Each row has a transaction of its own, as each page's verb has; shown first, it is taken back. A row that says what
    the hub knows already is left out, one that says otherwise is refused: files only add.
    """

    row_class: ClassVar[type[Any]]
    title: ClassVar[str | Promise]

    def __init__(self, *, company: Company, by: Actor | None = None) -> None:
        super().__init__()
        self.company = company
        self.by = by
        self._seen: set[tuple[str, ...]] = set()
        self._numbers: Sequence[int] = ()

    class Meta:
        using_db = "default"
        instance_loader_class = BaseInstanceLoader  # made and never asked: rows are looked up by `known`
        use_transactions = False
        skip_unchanged = True
        report_skipped = True

    @classmethod
    def get_display_name(cls) -> str:
        return str(cls.title)

    def known(self, row: dict[str, str]) -> Any:
        """The row as the hub knows it, or None."""
        raise NotImplementedError

    def make(self, row: Any, by: Actor) -> None:
        """Call the verb. Raises HubError."""
        raise NotImplementedError

    def rows_of(self, found: Iterable[Any]) -> Iterator[Any]:
        """Rows of a query's models, for a file that goes out."""
        raise NotImplementedError

    def clean(self, row: dict[str, str]) -> None:
        """Bring the cells into the form that `known` gives. Raises ValidationError."""

    def import_data(self, dataset: Any, dry_run: bool = False, **options: Any) -> Result:
        # The library would wrap the rehearsal in one transaction, and the trail writes to one chain in each.
        self._seen.clear()
        self._numbers = dataset.numbers
        kept = {name: value for name, value in options.items() if name not in ("raise_errors", "use_transactions")}
        return self.import_data_inner(dataset, dry_run, False, False, False, **kept)

    def get_result_class(self) -> Callable[[], SheetResult]:
        return partial(SheetResult, self._numbers)

    def before_import_row(self, row: dict[str, str], **_options: Any) -> None:
        self.clean(row)
        key = tuple(row.get(name, "") for name in self.get_import_id_fields())
        if key in self._seen:
            raise ValidationError(_("The file has this row twice."))
        self._seen.add(key)

    def get_or_init_instance(self, instance_loader: Any, row: dict[str, str]) -> tuple[Any, bool]:
        known = self.known(row)
        return (known, False) if known is not None else (self.row_class(), True)

    def save_instance(self, instance: Any, is_create: bool, row: dict[str, str], **options: Any) -> None:
        if not is_create:
            raise ValidationError(_("The hub knows this with other facts; a file only adds what is new."))
        if self.by is None:
            raise ValidationError(_("Nobody asks for this."))
        try:
            with transaction.atomic():
                self.make(instance, self.by)
                if options["dry_run"]:
                    transaction.set_rollback(True)
        except HubError as refusal:
            sentence = str(refusal.sentence)
            raise ValidationError({refusal.field: [sentence]} if refusal.field in asdict(instance) else sentence) from None

    def save_m2m(self, *_args: Any, **_options: Any) -> None:
        """There is nothing beside the verb."""

    def iter_queryset(self, queryset: Any) -> Iterator[Any]:
        return self.rows_of(queryset)
