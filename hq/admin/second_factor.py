"""Whether this very session proved a second factor, and how recently: the admin's lock."""

import time
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from hq.admin.asking import once

FRESH_SECONDS = 5 * 60
"""How old the proof may be when a form about keys, people or approvals opens."""
SENT_SECONDS = 15 * 60
"""How old it may be when that form comes back; filling it in takes a while."""


def is_proven(request: HttpRequest) -> bool:
    """Having a second factor is not enough: a session opened before it was set up has proven nothing.

    The demo's people have none, which the demo says on every page.
    """
    if settings.DEMO:
        return True
    return _newest_proof(request) is not None and once(
        request, "has a second factor", lambda: bool(is_mfa_enabled(request.user))
    )


def to_prove_it(request: HttpRequest, *, then: str) -> HttpResponseRedirect:
    """To the page that asks for the second factor, or that sets one up for who has none; then back to `then`."""
    methods = [m for m in get_adapter().get_reauthentication_methods(request.user) if m["id"].startswith("mfa_")]
    page = methods[0]["url"] if methods else reverse("mfa_activate_totp")
    return HttpResponseRedirect(f"{page}?{urlencode({'next': then})}")


def ask_again(request: HttpRequest) -> HttpResponseRedirect | None:
    """Step-up for dangerous forms: None when the proof is fresh enough, else where to renew it.

    A stale POST is dropped, never kept to be resumed: what it carries may be keys, and a session is a database row.
    """
    if settings.DEMO:
        return None
    proven_at = _newest_proof(request)
    longest = SENT_SECONDS if request.method == "POST" else FRESH_SECONDS
    if proven_at is not None and time.time() - proven_at < longest:
        return None
    return to_prove_it(request, then=request.path)


def _newest_proof(request: HttpRequest) -> float | None:
    records = get_authentication_records(request, request.user)
    proofs = [float(record["at"]) for record in records if record.get("method") == "mfa"]
    return max(proofs, default=None)
