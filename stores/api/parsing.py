"""Reading bodies: JSON in UTF-8 only, bounded in size and depth; repeated names are refused where money moves."""

import json
from collections.abc import Iterable, Mapping
from typing import IO, Any

from django.utils.translation import gettext_lazy as _
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from stores.api.problems import TooLarge, WrongMediaType
from stores.errors import Invalid

SYNC_BYTES = 4 * 1024 * 1024
MONEY_BYTES = 64 * 1024
MOST_LEVELS = 8


class SyncParser(BaseParser):
    """The bytes of a sync of at most 4 MiB, as they came: `stores.orders.read_batch` reads them."""

    media_type = "application/json"

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        return _read(stream, media_type, parser_context, SYNC_BYTES)


class StrictJsonParser(BaseParser):
    """A JSON object of at most 64 KiB, 8 levels deep, in which no name stands twice and every text can be stored."""

    media_type = "application/json"

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        body = _read(stream, media_type, parser_context, MONEY_BYTES)
        try:
            found = json.loads(body.decode("utf-8"), object_pairs_hook=_once, parse_constant=_refuse_constant)
        except RecursionError:
            raise Invalid(_("The body is nested too deeply."), code="too_deep") from None
        except ValueError:
            raise Invalid(_("The body is not JSON in UTF-8."), code="malformed_json") from None
        if not isinstance(found, dict):
            raise Invalid(_("The body is a JSON object."), code="invalid_body")
        _check(found, MOST_LEVELS)
        return found


def _read(stream: IO[Any], media_type: str | None, parser_context: Mapping[str, Any] | None, most: int) -> bytes:
    _check_media_type(media_type or "", parser_context)
    body: bytes = stream.read(most + 1)
    if len(body) > most:
        raise TooLarge(_("The body is too large: send it in parts."), largest_bytes=most)
    return body


def _check_media_type(media_type: str, parser_context: Mapping[str, Any] | None) -> None:
    for parameter in media_type.split(";")[1:]:
        name, _equals, value = parameter.partition("=")
        if name.strip().lower() == "charset" and value.strip(' "').lower() not in ("utf-8", "utf8"):
            raise WrongMediaType(_("JSON is sent in UTF-8."))
    request: Request | None = parser_context.get("request") if parser_context else None
    if request is not None and request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise WrongMediaType(_("Bodies are sent without content encoding."))


def _once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name, value in pairs:
        if name in members:
            shown = "".join(character for character in name[:64] if character.isprintable())
            raise Invalid(_("A name stands twice in the same object."), code="duplicate_name", field=shown)
        members[name] = value
    return members


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _check(value: Any, levels: int) -> None:
    if isinstance(value, (dict, list)) and levels == 0:
        raise Invalid(_("The body is nested too deeply."), code="too_deep")
    if isinstance(value, dict):
        for name, inner in value.items():
            _check(name, levels)
            _check(inner, levels - 1)
    elif isinstance(value, list):
        for inner in value:
            _check(inner, levels - 1)
    elif isinstance(value, str) and ("\x00" in value or any("\ud800" <= character <= "\udfff" for character in value)):
        raise Invalid(_("A text holds characters that cannot be stored."), code="invalid_text")
