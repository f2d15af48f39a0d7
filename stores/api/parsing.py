"""Reading bodies: JSON in UTF-8 only, bounded in size and depth; repeated names are refused where money moves."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import IO, Any

from django.utils.translation import gettext_lazy as _
from rest_framework.parsers import BaseParser

from stores.api.bodies import read_body
from stores.errors import Invalid
from stores.orders import Row, read_batch, read_lines

SYNC_BYTES = 4 * 1024 * 1024
MONEY_BYTES = 64 * 1024
MOST_LEVELS = 8


@dataclass(frozen=True, kw_only=True)
class SyncBody:
    """The bytes of a sync, inflated: one JSON object, or an order a line."""

    content: bytes = b""
    is_lines: bool = False

    def rows(self) -> list[Row]:
        """Raises Invalid for what is no sync at all."""
        return read_lines(self.content) if self.is_lines else read_batch(self.content)


class SyncParser(BaseParser):
    """One JSON object of at most 4 MiB, also when inflated."""

    media_type = "application/json"
    is_lines = False

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        content = read_body(stream, media_type, parser_context, most=SYNC_BYTES, may_be_compressed=True)
        return SyncBody(content=content, is_lines=self.is_lines)


class LinesParser(SyncParser):
    """NDJSON of at most 4 MiB: one order a line."""

    media_type = "application/x-ndjson"
    is_lines = True


class StrictJsonParser(BaseParser):
    """A JSON object of at most 64 KiB, 8 levels deep, in which no name stands twice and every text can be stored."""

    media_type = "application/json"

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        body = read_body(stream, media_type, parser_context, most=MONEY_BYTES)
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
