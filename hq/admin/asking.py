"""Who asks, what she may, and how the trail names her; each asked of the database once in a request."""

from collections.abc import Callable
from typing import TypeVar

import structlog
from allauth.account.adapter import get_adapter
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from stores import access
from stores.access import Right
from stores.actors import Actor
from stores.models import Company, User

Answer = TypeVar("Answer")


def asker_of(request: HttpRequest) -> User:
    """The signed-in person; the site has let nobody else in."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def company_of(request: HttpRequest) -> Company:
    """The company whose rows the asker may see."""
    return once(request, "company", lambda: access.company_of(asker_of(request)))


def may(request: HttpRequest, right: Right) -> bool:
    """Whether the asker holds the right. A page asks dozens of times; verbs that decide about money ask again."""
    return once(request, f"may {right.name}", lambda: access.may(asker_of(request), right))


def actor_of(request: HttpRequest) -> Actor:
    """The same person as the trail names her, with her address and the request's id."""
    context = structlog.contextvars.get_contextvars()
    return access.actor_for(
        asker_of(request),
        address=get_adapter(request).get_client_ip(request),
        request_id=str(context.get("request_id", "")),
    )


def once(request: HttpRequest, question: str, ask: Callable[[], Answer]) -> Answer:
    """The answer to a question that cannot change within this request of this person."""
    answers = request.__dict__.setdefault("_hq_answers", {})
    key = (request.user.pk, question)
    if key not in answers:
        answers[key] = ask()
    answer: Answer = answers[key]
    return answer
