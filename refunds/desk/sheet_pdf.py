"""The paper as a PDF, for a roll of 80 mm or for A4: embedded letters, a QR of vectors, nothing fetched from anywhere."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import cast

import segno
from fpdf import FPDF
from fpdf.enums import MethodReturnValue

from refunds.desk.sheet import Sheet

_FONTS = Path(__file__).resolve().parent.parent / "fonts"
_FONT = "DejaVuSansCondensed"
_INK = 0
_LINE = 1.35
_POINT_MM = 25.4 / 72


class PaperSize(StrEnum):
    """What it is printed on."""

    ROLL = "roll"
    A4 = "a4"


@dataclass(frozen=True, kw_only=True)
class _Measures:
    """Millimetres and points. Title and mark are one and a half times and twice the amount, as tills have to print them."""

    width: float
    height: float
    margin: float
    label: float
    small: float
    body: float
    large: float
    code: float
    below_head: float
    soft: int


_MEASURES = {
    PaperSize.ROLL: _Measures(
        width=80, height=600, margin=5, label=24, small=7.5, body=8.5, large=11, code=32, below_head=3, soft=_INK
    ),
    PaperSize.A4: _Measures(
        width=210, height=297, margin=30, label=45, small=9, body=10.5, large=14, code=36, below_head=8, soft=90
    ),
}
"""A thermal printer knows no grey."""


def pdf_of(sheet: Sheet, size: PaperSize) -> bytes:
    """The file's bytes; a roll is as long as what stands on it, A4 goes on over as many pages as it needs."""
    measures = _MEASURES[size]
    drawn = _Drawing(sheet, measures, height=measures.height)
    if size == PaperSize.ROLL:
        drawn = _Drawing(sheet, measures, height=drawn.end + measures.margin)
    return bytes(drawn.pdf.output())


class _Drawing:
    """One pass over the sheet from the top; `end` is where it stopped, in millimetres."""

    def __init__(self, sheet: Sheet, measures: _Measures, *, height: float) -> None:
        self._sheet, self._measures = sheet, measures
        self.pdf = FPDF(unit="mm", format=(measures.width, height))
        self.pdf.set_margins(measures.margin, measures.margin, measures.margin)
        self.pdf.set_auto_page_break(auto=True, margin=measures.margin)
        self.pdf.c_margin = 0
        for style, suffix in (("", ""), ("B", "-Bold")):
            self.pdf.add_font(_FONT, style, _FONTS / f"{_FONT}{suffix}.ttf")
        self.pdf.set_lang(sheet.language)
        self.pdf.set_title(f"{sheet.title} {sheet.name}")
        self.pdf.set_author(sheet.seller)
        self.pdf.set_creator("Refund Hub")
        self.pdf.add_page()
        self._draw()
        self.end = self.pdf.get_y()

    def _draw(self) -> None:
        sheet, measures = self._sheet, self._measures
        self._text(sheet.store, measures.large, bold=True)
        for line in (sheet.address, sheet.seller, sheet.organisation):
            self._text(line, measures.small, soft=True)
        self._gap(measures.below_head)
        if sheet.mark:
            self._text(sheet.mark, measures.large * 2, bold=True)
        self._text(sheet.title, measures.large * 1.5, bold=True)
        self._text(sheet.warning, measures.body, bold=True)
        self._gap(1.5)
        for fact in sheet.facts:
            first, *others = fact.value.split("\n")
            self._fact(fact.label, first)
            for value in others:
                self._fact("", value)
        self._amount()
        for sentence in sheet.sentences:
            self._text(sentence, measures.body)
            self._gap(0.8)
        self._code()
        self._gap(2)
        self._text(sheet.foot, measures.small, soft=True)

    def _text(self, text: str, points: float, *, bold: bool = False, soft: bool = False) -> None:
        if not text:
            return
        self._pen(points, bold=bold, soft=soft)
        self.pdf.multi_cell(0, points * _POINT_MM * _LINE, text, align="L", new_x="LMARGIN", new_y="NEXT")

    def _fact(self, label: str, value: str) -> None:
        measures, pdf = self._measures, self.pdf
        height = measures.body * _POINT_MM * _LINE
        self._pen(measures.body)
        room = measures.width - 2 * measures.margin - measures.label
        needed = pdf.multi_cell(room, height, value, dry_run=True, output=MethodReturnValue.HEIGHT)
        self._keep_together(cast(float, needed))
        top = pdf.get_y()
        self._pen(measures.small, soft=True)
        pdf.multi_cell(measures.label - 2, height, label, align="L", new_x="LMARGIN", new_y="NEXT")
        below_label = pdf.get_y()
        self._pen(measures.body)
        pdf.set_xy(measures.margin + measures.label, top)
        pdf.multi_cell(room, height, value, align="L", new_x="LMARGIN", new_y="NEXT")
        pdf.set_y(max(below_label, pdf.get_y()) + 0.6)

    def _amount(self) -> None:
        measures, sheet = self._measures, self._sheet
        self._gap(1)
        self._rule()
        top, height = self.pdf.get_y() + 1, measures.large * _POINT_MM * _LINE
        self.pdf.set_xy(measures.margin, top)
        self._pen(measures.body)
        self.pdf.cell(0, height, sheet.amount_label)
        self.pdf.set_xy(measures.margin, top)
        self._pen(measures.large, bold=True)
        self.pdf.cell(0, height, sheet.amount, align="R", new_x="LMARGIN", new_y="NEXT")
        self._gap(1)
        self._rule()
        self._gap(2)

    def _code(self) -> None:
        """The customer's link as squares, and pressable where it is read on a screen."""
        link, side = self._sheet.follow, self._measures.code
        if not link:
            return
        rows = [bytes(row) for row in segno.make(link, error="m", micro=False).matrix]
        dot = side / len(rows)
        self._keep_together(side + 8)
        self._gap(2)
        left, top = self._measures.margin, self.pdf.get_y()
        self.pdf.set_fill_color(_INK)
        for down, row in enumerate(rows):
            for across, length in _runs(row):
                self.pdf.rect(left + across * dot, top + down * dot, length * dot, dot, style="F")
        self.pdf.link(left, top, side, side, link)
        self.pdf.set_y(top + side + 1)
        self._text(self._sheet.follow_label, self._measures.small)

    def _keep_together(self, millimetres: float) -> None:
        """What is this high does not fall apart over two pages."""
        if self.pdf.will_page_break(millimetres):
            self.pdf.add_page()

    def _pen(self, points: float, *, bold: bool = False, soft: bool = False) -> None:
        self.pdf.set_font(_FONT, "B" if bold else "", points)
        self.pdf.set_text_color(self._measures.soft if soft else _INK)

    def _rule(self) -> None:
        measures, y = self._measures, self.pdf.get_y()
        self.pdf.line(measures.margin, y, measures.width - measures.margin, y)

    def _gap(self, millimetres: float) -> None:
        self.pdf.set_y(self.pdf.get_y() + millimetres)


def _runs(row: bytes) -> list[tuple[int, int]]:
    """Where dark squares of a row begin, and how many stand side by side: one bar prints without a seam."""
    found: list[tuple[int, int]] = []
    for at, dark in enumerate(row):
        if not dark:
            continue
        if found and sum(found[-1]) == at:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((at, 1))
    return found
