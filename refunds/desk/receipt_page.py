"""The paper for the customer, on its way to a printer or as a file; each of these is one print, counted and in the trail."""

import uuid

import segno
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods

from refunds import handing_over, queries
from refunds.desk.door import Desk, for_cashiers
from refunds.desk.forms import new_request_key
from refunds.desk.sheet import Sheet, sheet_of
from refunds.desk.sheet_pdf import PaperSize, pdf_of
from refunds.handing_over import Form
from stores import clock


@require_http_methods(["GET", "POST"])
@for_cashiers
def receipt(request: HttpRequest, desk: Desk, refund_id: uuid.UUID) -> HttpResponse:
    """Answers the press itself with the paper: to load it again is to press again, and that is a copy."""
    refund = queries.refund_for(desk.user, refund_id)
    if request.method == "GET":
        return redirect("desk:refund", refund.pk)
    size = next((size for size in PaperSize if size == request.POST.get("as")), None)
    press = request.POST.get("press", "")[:32]
    handed = handing_over.hand_over(refund, form=Form.PDF if size else Form.PRINT, press=press, by=desk.by)
    sheet = sheet_of(refund, handed, printed_at=clock.db_now())
    if size is not None:
        return _file(sheet, size)
    page = {"desk": desk, "refund": refund, "sheet": sheet, "code": code_of(sheet.follow), "press": new_request_key()}
    return render(request, "desk/receipt.html", page)


def code_of(link: str) -> SafeString:
    """The link as a QR, drawn with attributes alone: the desk's policy allows no style."""
    if not link:
        return SafeString("")
    drawn: str = segno.make(link, error="m", micro=False).svg_inline(omitsize=True, border=2, svgclass="code", lineclass=None)
    return SafeString(drawn)  # segno draws it itself; the link is in the squares only


def _file(sheet: Sheet, size: PaperSize) -> HttpResponse:
    answer = HttpResponse(pdf_of(sheet, size), content_type="application/pdf")
    answer["Content-Disposition"] = f'attachment; filename="{sheet.name}.pdf"'
    return answer
