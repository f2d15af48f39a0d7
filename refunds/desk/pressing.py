"""What a press that was accepted is answered with: the refund's own page, to which the script goes by itself."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from refunds.models import Refund


def pressed(request: HttpRequest, refund: Refund) -> HttpResponse:
    """A press that the script sent is told the address: it repeats the press, under the same key, until it hears that."""
    if request.headers.get("HX-Request"):
        return HttpResponseClientRedirect(reverse("desk:refund", args=[refund.pk]))
    return redirect("desk:refund", refund.pk)
