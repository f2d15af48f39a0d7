"""The one format of these files: CSV that a spreadsheet opens without running anything, and reads back as it was."""

import csv
import io
from collections.abc import Iterable
from typing import Any

from import_export.formats.base_formats import Format
from tablib import Dataset

from hq.admin.csv_files import MARK, safe
from stores.importing.spreadsheets import open_table

LARGEST_FILE = 1024 * 1024


class Sheet(Dataset):
    """Rows that came in; `numbers` are those that a spreadsheet shows beside them."""

    def __init__(self, *rows: Any, **options: Any) -> None:
        super().__init__(*rows, **options)
        self.numbers: list[int] = []


class SafeCsv(Format):
    """`required` and `optional` are the columns of a file that comes in. It is read as bytes: its encoding is found out."""

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()

    def __init__(self, encoding: str | None = None) -> None:
        """The library gives one; a file says itself what it is in."""

    def get_title(self) -> str:
        return "csv"

    def get_extension(self) -> str:
        return "csv"

    def get_content_type(self) -> str:
        return "text/csv; charset=utf-8"

    def can_import(self) -> bool:
        return True

    def can_export(self) -> bool:
        return True

    def create_dataset(self, in_stream: bytes) -> Sheet:
        """Raises Invalid for what is no table of these columns."""
        table = open_table(
            io.BytesIO(in_stream), required=self.required, optional=self.optional, most_bytes=LARGEST_FILE
        )
        sheet = Sheet(headers=list(table.columns))
        for record in table.records:
            # A row of another width is kept as an empty one, so that it is refused in its place.
            cells = record.cells or dict.fromkeys(table.columns, "")
            sheet.append([cells[column] for column in table.columns])
            sheet.numbers.append(record.number)
        return sheet

    def export_data(self, dataset: Iterable[Any], **_options: Any) -> bytes:
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        headers: Any = dataset.headers  # type: ignore[attr-defined]  # tablib's
        writer.writerow(headers)
        writer.writerows([safe(cell) for cell in row] for row in dataset)
        return f"{MARK}{text.getvalue()}".encode()
