"""Who asks, for access and for the trail."""

import structlog
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from stores import access
from stores.actors import Actor
from stores.models import Company, User


def asker_of(request: HttpRequest) -> User:
    """The signed-in person; the site has let nobody else in."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def company_of(request: HttpRequest) -> Company:
    """The company whose rows the asker may see."""
    return access.company_of(asker_of(request))


def actor_of(request: HttpRequest) -> Actor:
    """The same person as the trail names her, with her address and the request's id."""
    context = structlog.contextvars.get_contextvars()
    return access.actor_for(
        asker_of(request),
        address=request.META.get("REMOTE_ADDR", ""),
        request_id=str(context.get("request_id", "")),
    )
