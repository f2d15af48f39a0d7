"""What a person sees when the hub fails: whether it is out of order for a moment, or broken."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseServerError
from django.template import loader

RETRY_SECONDS = 5


def server_error(request: HttpRequest) -> HttpResponse:
    """503 where the database cannot be reached or took too long, else 500; Django calls it while it handles the exception.

    Neither page asks the database for anything.
    """
    if not isinstance(sys.exc_info()[1], (OperationalError, InterfaceError)):
        return HttpResponseServerError(loader.render_to_string("500.html"))
    page = loader.render_to_string("503.html", {"address": request.get_full_path(), "has_sent": request.method == "POST"})
    return HttpResponse(page, status=503, headers={"Retry-After": str(RETRY_SECONDS)})
