"""Logging: one line an event with the request's id, never a secret, a body or a header."""

import logging
import re
from typing import Any

import structlog
from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter
from structlog.types import EventDict, Processor

_SECRETS = re.compile(
    r"rhk_[0-9a-f]{16}_[A-Za-z0-9_-]+"  # an API key
    r"|whsec_[A-Za-z0-9+/=]+"  # a webhook secret
    r"|(?i:bearer|basic)\s+[A-Za-z0-9._~+/=-]{12,}"  # an Authorization header, whoever put it there
    r"|(?<=/r/)[A-Za-z0-9_-]{20,}"  # a customer's link to her refund
    r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+"  # an access token
)
HIDDEN = "[hidden]"
_HEADERS = ("user_agent",)
"""What django-structlog adds from headers; the rest it leaves out by itself."""


class SecretsFilter(SafeExceptionReporterFilter):
    """Error pages show neither keys nor what was sent: Django's own list does not know all of our names."""

    hidden_settings = re.compile(
        "API|AUTH|TOKEN|KEY|SECRET|PASS|SIGNATURE|HTTP_COOKIE|DATABASE_URL|REDIS_URL|REDIS_CACHE_URL|DATABASES|CACHES"
        "|KEK|DEK|CREDENTIAL|CLIENT_ID|MSN|SUBSCRIPTION|WEBHOOK",
        flags=re.IGNORECASE,
    )

    def is_active(self, request: HttpRequest | None) -> bool:
        """Always, under DEBUG too: a developer's screen is shared as easily as any other."""
        return True

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        if request is None:
            return {}
        return dict.fromkeys(request.POST, self.cleansed_substitute)

    def get_safe_request_meta(self, request: HttpRequest) -> dict[str, Any]:
        if not hasattr(request, "META"):
            return {}
        return {
            name: self.cleansed_substitute if name.startswith("HTTP_") else self.cleanse_setting(name, value)
            for name, value in request.META.items()
        }

    def get_safe_cookies(self, request: HttpRequest) -> dict[str, Any]:
        return dict.fromkeys(getattr(request, "COOKIES", {}), self.cleansed_substitute)


def hide_secrets(_logger: object, _method: str, event: EventDict) -> EventDict:
    """The last net: what looks like a key is hidden, headers are dropped, and a path keeps no query."""
    for name in _HEADERS:
        event.pop(name, None)
    if isinstance(event.get("request"), str):
        event["request"] = event["request"].partition("?")[0]
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = _SECRETS.sub(HIDDEN, value)
    return event


def logging_settings(*, debug: bool, as_json: bool) -> dict[str, Any]:
    """Django's LOGGING dict; sets structlog up too, so that both write the same lines."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.format_exc_info,
        hide_secrets,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    renderer: Processor = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "lines": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": [*shared[:-2], _foreign_exception, structlog.processors.format_exc_info, hide_secrets],
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    hide_secrets,
                    renderer,
                ],
            }
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"handlers": ["console"], "level": "INFO"},
        "loggers": {
            "django.server": {"handlers": ["console"], "level": "INFO", "propagate": False},
            # The request's end is one line of django-structlog's already.
            "django.request": {"level": "ERROR"},
            # Under DEBUG these say every statement with its values, or every connection with its address.
            "django.db.backends": {"level": "INFO"},
            "urllib3": {"level": "INFO"},
            # A line for each table of each font of each receipt.
            "fontTools": {"level": "WARNING"},
            "hq": {"level": "DEBUG" if debug else "INFO"},
            "stores": {"level": "DEBUG" if debug else "INFO"},
            "refunds": {"level": "DEBUG" if debug else "INFO"},
        },
    }


def _foreign_exception(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Tracebacks of the standard library's loggers become text here, so that the net above sees them."""
    record = event.get("_record")
    if isinstance(record, logging.LogRecord) and record.exc_info:
        event["exc_info"] = record.exc_info
        record.exc_info = None
        record.exc_text = None
    return event
