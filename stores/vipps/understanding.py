"""Steps that every API's client takes with a 2xx answer: what cannot be understood is "unsure", never a guess."""

from __future__ import annotations

from typing import Any

from stores.vipps.errors import Unsure
from stores.vipps.exchange import Response
from stores.vipps.problems import trace_id_of
from stores.vipps.reading import Unreadable, read_json, read_object


def answer_of(operation: str, response: Response) -> tuple[dict[str, Any], str | None]:
    """The members of an answer that is an object, and its trace id. Raises Unsure."""
    try:
        members = read_object(read_json(response.body))
    except Unreadable as error:
        raise unreadable(operation, response, error) from None
    return members, trace_id_of(response, members)


def list_of(operation: str, response: Response) -> list[Any]:
    """The entries of an answer that is a list. Raises Unsure."""
    try:
        entries = read_json(response.body)
    except Unreadable as error:
        raise unreadable(operation, response, error) from None
    if not isinstance(entries, list):
        raise unreadable(operation, response, Unreadable("not a list"))
    return entries


def unreadable(operation: str, response: Response, why: Unreadable) -> Unsure:
    """The error to raise for a 2xx that is not what the API promises."""
    return Unsure(operation, status=response.status, trace_id=trace_id_of(response), detail=f"the answer is unreadable: {why}")


def check_same(operation: str, asked: str, answered: str, response: Response) -> None:
    """Raises Unsure where an answer speaks of another payment than was asked about."""
    if asked != answered:
        raise Unsure(
            operation,
            status=response.status,
            trace_id=trace_id_of(response),
            detail="the answer is about another payment",
        )
