"""Every error over REST has one shape: application/problem+json (RFC 9457) with a stable code."""

import logging
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from stores.api.ids import ORDER, REFUND, shown_id
from stores.errors import HubError

logger = logging.getLogger(__name__)
CONTENT_TYPE = "application/problem+json"
_RETRYABLE = (429, 500, 502, 503, 504)
_RETRY_SECONDS = 5
_KIND_OF_ID = {"order_id": ORDER, "refund_id": REFUND}
_CODES = {
    400: "invalid",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    415: "unsupported_media_type",
    429: "too_many_requests",
    500: "internal_error",
    503: "unavailable",
}


class TooLarge(HubError):
    """The body is larger than this door reads."""

    code = "too_large"
    status = 413


class LengthMissing(HubError):
    """The body came without its length, and was not read."""

    code = "length_required"
    status = 411


class WrongMediaType(HubError):
    """The body is not plain JSON in UTF-8."""

    code = "unsupported_media_type"
    status = 415


@dataclass(frozen=True, kw_only=True)
class FieldError:
    """What is wrong with one field; `field` is its path, "" for the body as a whole."""

    field: str
    code: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class _Problem:
    status: int
    code: str
    detail: str
    errors: tuple[FieldError, ...] = ()
    facts: dict[str, Any] | None = None
    headers: dict[str, str] | None = None


def problem_handler(error: Exception, context: dict[str, Any]) -> Response:
    """REST framework's EXCEPTION_HANDLER. Nothing of an unexpected error is shown; it is logged under the trace id."""
    set_rollback()
    problem = _problem_of(error)
    trace_id = request_id_of(context.get("request"))
    if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.error("REST call failed trace_id=%s", trace_id, exc_info=error)
    body = _body(problem, trace_id)
    return Response(body, status=problem.status, headers=problem.headers, content_type=CONTENT_TYPE)


def problem_of_item(error: HubError | exceptions.ValidationError, *, request: Any) -> dict[str, Any]:
    """The same body for one of several things that a call asked for, where the others go on."""
    return _body(_problem_of(error), request_id_of(request))


def request_id_of(request: Any) -> str:
    """The id under which this request's log lines stand; a fresh one where no middleware has given any."""
    bound = structlog.contextvars.get_contextvars().get("request_id")
    return str(bound or getattr(request, "request_id", None) or uuid.uuid4())[:64]


def _body(problem: _Problem, trace_id: str) -> dict[str, Any]:
    body: dict[str, Any] = {
        "type": f"urn:refund-hub:problem:{problem.code}",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail,
        "trace_id": trace_id,
        "retryable": problem.status in _RETRYABLE,
        "errors": [{"field": item.field, "code": item.code, "detail": item.detail} for item in problem.errors],
    }
    if problem.facts:
        body["facts"] = problem.facts
    return body


def _problem_of(error: Exception) -> _Problem:
    if isinstance(error, HubError):
        return _of_hub(error)
    if isinstance(error, exceptions.ValidationError):
        errors = tuple(_field_errors(error.detail, error.get_codes(), ""))
        return _Problem(status=400, code=errors[0].code if len(errors) == 1 else "invalid", errors=errors,
                        detail=_("Some fields are wrong.") if len(errors) != 1 else errors[0].detail)  # fmt: skip
    if isinstance(error, exceptions.APIException):
        return _of_framework(error)
    if isinstance(error, Http404):
        return _Problem(status=404, code="not_found", detail=_("There is nothing here."))
    if isinstance(error, PermissionDenied):
        return _Problem(status=403, code="forbidden", detail=_("You do not have the right to do this."))
    if isinstance(error, RequestDataTooBig):
        return _Problem(status=413, code="too_large", detail=_("The body is too large."))
    if isinstance(error, (OperationalError, InterfaceError)):
        return _Problem(
            status=503,
            code="unavailable",
            detail=_("The hub cannot answer right now. Send the same request again."),
            headers={"Retry-After": str(_RETRY_SECONDS)},
        )
    return _Problem(status=500, code="internal_error", detail=_("The hub failed. The trace id tells its people where to look."))


def _of_hub(error: HubError) -> _Problem:
    detail = str(error.sentence)
    facts = dict(error.facts)
    retry_after = facts.pop("retry_after", None)
    return _Problem(
        status=error.status,
        code=error.code,
        detail=detail,
        errors=(FieldError(field=error.field, code=error.code, detail=detail),) if error.field else (),
        facts={name: _plain(value, name) for name, value in facts.items()},
        headers={"Retry-After": str(retry_after)} if retry_after is not None else None,
    )


def _of_framework(error: exceptions.APIException) -> _Problem:
    status = error.status_code
    headers: dict[str, str] = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if (wait := getattr(error, "wait", None)) is not None:
        headers["Retry-After"] = str(int(wait) + 1)
    code = "malformed_json" if isinstance(error, exceptions.ParseError) else _CODES.get(status, "error")
    return _Problem(status=status, code=code, detail=str(error.detail), headers=headers or None)


def _field_errors(detail: Any, codes: Any, path: str) -> Iterator[FieldError]:
    """REST framework's nested details, flat: one error a field, by its path ("amount.amount_minor")."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            below = path if name == "non_field_errors" else f"{path}.{name}" if path else str(name)
            yield from _field_errors(inner, codes[name], below)
    elif isinstance(detail, list):
        for inner, code in zip(detail, codes, strict=True):
            yield from _field_errors(inner, code, path)
    else:
        yield FieldError(field=path, code=str(codes), detail=str(detail))


def _plain(value: Any, name: str = "") -> Any:
    """A fact as JSON can carry it; ids as REST shows them."""
    if isinstance(value, uuid.UUID) and name in _KIND_OF_ID:
        return shown_id(_KIND_OF_ID[name], value)
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(inner, str(key)) for key, inner in value.items()}
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)
