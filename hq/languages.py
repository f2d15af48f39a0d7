"""Which language a page speaks: the person's own once she has chosen, her browser's until then."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import translation
from django.views.i18n import set_language

from stores import people
from stores.models import User

HEADQUARTERS = ("en", "nb")
"""What headquarters' own pages are whole in; half a page in another language is worse than English."""
_ADMIN = "/hq/"


def speak_her_language(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware, after Django's own two for languages and sign-in: on a shared till the cookie is the one before her's."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        wanted = _language_of(request)
        if wanted != translation.get_language():
            translation.activate(wanted)
            request.LANGUAGE_CODE = wanted
        return get_response(request)

    return middleware


def choose(request: HttpRequest) -> HttpResponse:
    """The switch: kept in this browser, and with the person who has signed in."""
    answer = set_language(request)
    language = request.POST.get("language", "")
    if isinstance(request.user, User) and language in dict(settings.LANGUAGES):
        people.choose_language(request.user, language)
    return answer


def _language_of(request: HttpRequest) -> str:
    hers = request.user.language if isinstance(request.user, User) else ""
    language = hers if hers in dict(settings.LANGUAGES) else translation.get_language() or settings.LANGUAGE_CODE
    return "en" if request.path.startswith(_ADMIN) and language not in HEADQUARTERS else language
