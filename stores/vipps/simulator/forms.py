"""What every body is checked with: is it an object, has it only known members, and is each of the right kind?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


class BadForm(Exception):
    """A wrong member and why; with `code` when Vipps has an ErrorCode for it."""

    def __init__(self, name: str, reason: str, *, code: str | None = None) -> None:
        super().__init__(name, reason)
        self.name = name
        self.reason = reason
        self.code = code


def read_body(body: bytes) -> dict[str, Any]:
    """The object that was sent; an empty body is an empty object. Raises BadForm."""
    if not body:
        return {}
    try:
        members = json.loads(body)
    except (ValueError, RecursionError):
        raise BadForm("body", "The body is not valid JSON.") from None
    if not isinstance(members, dict):
        raise BadForm("body", "The body is not an object.")
    return members


def refuse_unknown(members: Mapping[str, Any], known: frozenset[str], *, prefix: str = "") -> None:
    for name in members:
        if name not in known:
            raise BadForm(f"{prefix}{name}"[:100], "The field is unknown.")


def read_object(members: Mapping[str, Any], name: str, known: frozenset[str], *, prefix: str = "") -> dict[str, Any]:
    """A required object that has no members but the known ones."""
    value = members.get(name)
    if not isinstance(value, dict):
        raise BadForm(f"{prefix}{name}", "The field is required and must be an object.")
    refuse_unknown(value, known, prefix=f"{prefix}{name}.")
    return value


def read_text(members: Mapping[str, Any], name: str, *, prefix: str = "", longest: int = 255) -> str:
    """A required text that is not empty."""
    value = members.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= longest:
        raise BadForm(f"{prefix}{name}", f"The field must be a text of 1 to {longest} characters.")
    return value


def read_flag(members: Mapping[str, Any], name: str, *, prefix: str = "") -> bool:
    """An optional boolean, false if it is absent."""
    value = members.get(name, False)
    if not isinstance(value, bool):
        raise BadForm(f"{prefix}{name}", "The value is not a boolean.")
    return value
