"""Shows a customer how her refund goes: sum, store and plain words, to nobody who does not hold the link."""

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from refunds import following
from refunds.follow import limits
from refunds.models import Refund
from stores.money import in_locale

_HEADERS = {
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Referrer-Policy": "no-referrer",
}


@require_safe
@never_cache
def follow(request: HttpRequest, token: str) -> HttpResponse:
    """200 with the refund, 404 for every link that shows nothing (never made, mistyped, too old), 429 beyond the limit.

    In the language of the telephone, or in the one that she pressed below.
    """
    asked = request.GET.get("language")
    with translation.override(asked if asked in dict(settings.LANGUAGES) else translation.get_language()):
        if limits.looks_too_often(get_adapter(request).get_client_ip(request)):
            return _page(request, "follow/too_often.html", {}, status=429)
        refund = following.followed_by(token)
        if refund is None:
            return _page(request, "follow/nothing.html", {}, status=404)
        return _page(request, "follow/refund.html", _words(refund), status=200)


def _words(refund: Refund) -> dict[str, object]:
    return {
        "chain": refund.refunding_store.company.name,
        "store": refund.refunding_store.name,
        "amount": in_locale(refund.shown_minor, refund.currency, translation.get_language() or "en"),
        "told": following.told_of(refund),
    }


def _page(request: HttpRequest, template: str, words: dict[str, object], *, status: int) -> HttpResponse:
    answer = render(request, template, words, status=status)
    for name, value in _HEADERS.items():
        answer[name] = value
    if status == 429:
        answer["Retry-After"] = "60"
    return answer
