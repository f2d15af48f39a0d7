"""Reading what spreadsheets write: their encodings, separators and empty cells, row by row, whatever the size of the file."""

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from django.utils.translation import gettext_lazy as _

from stores.errors import Invalid

_CHUNK = 256 * 1024
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SEPARATORS = (";", ",", "\t")
_NAMES_ROW = 1
_FORMULA = ("'=", "'+", "'-", "'@", "'\t", "'\r")
"""As the hub's own files quote a text that a spreadsheet would take for a formula."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """One row, by the number that a spreadsheet shows beside it; `cells` by their columns' names, None for a row that has
    more or fewer cells than there are columns."""

    number: int
    cells: dict[str, str] | None


@dataclass(frozen=True, kw_only=True)
class Table:
    """A file that is being read. `encoding` is what its bytes turned out to be."""

    columns: tuple[str, ...]
    encoding: str
    records: Iterator[Record]


def open_table(file: IO[bytes], *, required: Sequence[str], optional: Sequence[str], most_bytes: int) -> Table:
    """The table in a CSV file with a line of column names. UTF-8, UTF-16 and Windows-1252, comma, semicolon or tab.

    Raises Invalid, here or while the records are read: file_too_large, unknown_encoding, wrong_columns, not_csv.
    """
    _check_size(file, most_bytes)
    encoding = _encoding_of(file)
    text = io.TextIOWrapper(file, encoding=encoding, newline="")
    first = _line(text)
    if first.lower().startswith("sep="):
        # Spreadsheets do as it says and do not show it: their first row is that of the names.
        separator, first = first[4:5], _line(text)
    else:
        separator = max(_SEPARATORS, key=first.count)
    columns = _columns(first, separator)
    _check_columns(columns, required, optional)
    records = _records(csv.reader(text, delimiter=separator, strict=True), columns)
    return Table(columns=columns, encoding=encoding, records=records)


def _check_size(file: IO[bytes], most: int) -> None:
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    if size > most:
        raise Invalid(_("The file is too large: import it in parts."), code="file_too_large", field="file", largest_bytes=most)


def _encoding_of(file: IO[bytes]) -> str:
    head = file.read(4)
    file.seek(0)
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding
    if b"\x00" in head:
        return "utf-16-le" if head[:1] != b"\x00" else "utf-16-be"
    for encoding in ("utf-8", "cp1252"):
        if _can_be(file, encoding):
            return encoding
    raise _unknown_encoding()


def _line(text: IO[str]) -> str:
    try:
        return text.readline()
    except UnicodeDecodeError:
        raise _unknown_encoding() from None


def _unknown_encoding() -> Invalid:
    sentence = _("The file is neither in UTF-8 nor in Windows-1252: save it as CSV UTF-8.")
    return Invalid(sentence, code="unknown_encoding", field="file")


def _can_be(file: IO[bytes], encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while chunk := file.read(_CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    finally:
        file.seek(0)
    return True


def _columns(line: str, separator: str) -> tuple[str, ...]:
    try:
        names = [name.strip().lower() for name in next(csv.reader([line.strip("\r\n")], delimiter=separator, strict=True), [])]
    except (csv.Error, TypeError):
        raise Invalid(_("The file is not CSV."), code="not_csv", field="file", line=1) from None
    while names and not names[-1]:
        names.pop()  # spreadsheets like to end each row with empty cells
    return tuple(names)


def _check_columns(columns: Sequence[str], required: Sequence[str], optional: Sequence[str]) -> None:
    missing = [name for name in required if name not in columns]
    unknown = [name for name in columns if name not in (*required, *optional)]
    if missing or unknown or len(columns) != len(set(columns)):
        raise Invalid(
            _("The columns are %(required)s, and optionally %(optional)s.")
            % {"required": ", ".join(required), "optional": ", ".join(optional)},
            code="wrong_columns",
            field="file",
            missing=missing,
            unknown=unknown,
        )


def _records(reader: Iterator[list[str]], columns: Sequence[str]) -> Iterator[Record]:
    number = _NAMES_ROW
    try:
        for number, cells in enumerate(reader, _NAMES_ROW + 1):
            if any(cell.strip() for cell in cells):
                yield Record(number=number, cells=_cells(cells, columns))
    except UnicodeDecodeError:
        raise Invalid(
            _("The file is cut off, or changes its encoding."), code="unknown_encoding", field="file", row=number + 1
        ) from None
    except csv.Error:
        raise Invalid(_("The file is not CSV."), code="not_csv", field="file", row=number + 1) from None


def _cells(cells: list[str], columns: Sequence[str]) -> dict[str, str] | None:
    count = len(columns)
    if len(cells) < count or any(cell.strip() for cell in cells[count:]):
        return None
    return {name: _unquoted(cell.strip()) for name, cell in zip(columns, cells[:count], strict=True)}


def _unquoted(cell: str) -> str:
    return cell[1:] if cell.startswith(_FORMULA) else cell
