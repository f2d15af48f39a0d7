"""Tables as CSV files that a spreadsheet opens without running anything."""

import csv
import re
from collections.abc import Iterable, Sequence

from django.http import HttpResponse
from django.utils.functional import Promise

Cell = str | int | Promise
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)


def csv_file(name: str, headers: Sequence[Cell], rows: Iterable[Sequence[Cell]]) -> HttpResponse:
    """The table as a download, UTF-8 with a mark so that spreadsheets read "Bodø" right; `name` without its ending."""
    response = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    response.headers["Cache-Control"] = "no-store"
    writer = csv.writer(response)
    writer.writerow([_safe(cell) for cell in headers])
    writer.writerows([_safe(cell) for cell in row] for row in rows)
    return response


def decimal(amount_minor: int) -> str:
    """Minor units as a plain number with two decimals: -25000 gives "-250.00"."""
    sign = "-" if amount_minor < 0 else ""
    return f"{sign}{abs(amount_minor) // 100}.{abs(amount_minor) % 100:02d}"


def _safe(cell: Cell) -> str:
    """A text that a spreadsheet would take for a formula is quoted (OWASP: CSV injection); numbers stay numbers."""
    text = str(cell)
    if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text
