"""Takes Vipps' notices in: keeps each as it came, answers at once, and rings for a worker; believes nothing."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from refunds import doorbell
from stores import notices
from stores.errors import HubError

MAX_BODY_BYTES = 64 * 1024
_COME_BACK_SECONDS = 60


@csrf_exempt  # Vipps signs its calls; there is no session here
@require_POST
def receive(request: HttpRequest, token: str) -> HttpResponse:
    """200 once it is kept, 404 for an address nobody was given, 413 beyond 64 KiB, 503 while too many wait."""
    if request.META.get("QUERY_STRING"):
        return HttpResponse(status=404)  # the address is signed with its query, and those we give have none
    body = request.read(MAX_BODY_BYTES + 1)
    if len(body) > MAX_BODY_BYTES:
        return HttpResponse(status=413)
    try:
        notice = notices.keep_notice(token, body=body, headers=request.headers)
    except HubError as refusal:
        headers = {"Retry-After": str(_COME_BACK_SECONDS)} if refusal.status == 503 else {}
        return HttpResponse(status=refusal.status, headers=headers)
    doorbell.ring(notice.pk)
    return HttpResponse(status=200)
