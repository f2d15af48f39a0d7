"""Tables as CSV files that a spreadsheet opens without running anything."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any, TypeVar

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.functional import Promise

Cell = str | int | Promise
Response = TypeVar("Response", bound=HttpResponseBase)
_TYPE = "text/csv; charset=utf-8"
_ROWS_A_CHUNK = 500
MARK = "\ufeff"
"""Begins a file, so that spreadsheets read "Bodø" right."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)


def csv_file(name: str, headers: Sequence[Cell], rows: Iterable[Sequence[Cell]]) -> HttpResponse:
    """The table as a download, UTF-8 with a mark so that spreadsheets read "Bodø" right; `name` without its ending."""
    response = HttpResponse(MARK, content_type=_TYPE)
    writer = csv.writer(response)
    writer.writerow([safe(cell) for cell in headers])
    writer.writerows([safe(cell) for cell in row] for row in rows)
    return _as_download(response, name)


def streamed_csv_file(
    name: str, headers: Sequence[Cell], rows: Iterable[Sequence[Cell]]
) -> StreamingHttpResponse:
    """The same for as many rows as there are: each is sent as soon as it is read."""
    writer = csv.writer(_Echo())
    lines = chain([MARK], _lines(writer, [headers]), _lines(writer, rows))
    return _as_download(StreamingHttpResponse(lines, content_type=_TYPE), name)


class _Echo:
    """What csv writes to, to have each line back."""

    def write(self, line: str) -> str:
        return line


def _lines(writer: Any, rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    rows = iter(rows)
    # A row in a chunk of its own would cost more on its way than in the database.
    while part := list(islice(rows, _ROWS_A_CHUNK)):
        yield "".join(writer.writerow([safe(cell) for cell in row]) for row in part)


def _as_download(response: Response, name: str) -> Response:
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    response.headers["Cache-Control"] = "no-store"
    return response


def decimal(amount_minor: int) -> str:
    """Minor units as a plain number with two decimals: -25000 gives "-250.00"."""
    sign = "-" if amount_minor < 0 else ""
    return f"{sign}{abs(amount_minor) // 100}.{abs(amount_minor) % 100:02d}"


def safe(cell: Cell) -> str:
    """A text that a spreadsheet would take for a formula is quoted (OWASP: CSV injection); numbers stay numbers."""
    text = str(cell)
    if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text
