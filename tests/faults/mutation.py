"""Spoiling an answer of Vipps, by seed: in its values, in its text, in its bytes, in its status."""

import copy
import json
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from stores.vipps.exchange import Response

STATUSES = (
    *(200, 200, 201, 202, 204, 206, 301, 302, 307, 308),
    *(400, 401, 402, 403, 404, 409, 418, 422, 423, 429, 500, 502, 503, 504),
)
_MEMBER = re.compile(rb'"\w+":(?:"[^"]*"|\{[^{}]*\}|-?\d+|true|false|null)')
_WRAPPINGS = (
    *((b"[", b"]"), (b"<html>", b"</html>"), (b'{"result":', b"}")),
    *((b"\xef\xbb\xbf", b""), (b" \n", b"\n"), (b"", b"{}")),
)
_NUMBER = re.compile(rb"-?\d+")
_LITERALS = (b"NaN", b"1e3", b"2.5e3", b"2500.0", b"-0", b"00", b"true", b"null", b'"2500"', b"[]", b"9" * 5000)


@dataclass(frozen=True, kw_only=True)
class Spoiler:
    """Makes one spoiled answer after another; `values` are those that could mislead, since they mean something here."""

    dice: random.Random
    values: Sequence[Any]

    def spoiled(self, status: int, body: Any) -> Response:
        tree = copy.deepcopy(body)
        for _ in range(self.dice.choice((0, 1, 1, 1, 2, 3))):
            tree = self._in_values(tree)
        text = json.dumps(tree, separators=(",", ":"), ensure_ascii=self.dice.random() < 0.5).encode("utf-8", "surrogatepass")
        answer = Response(status=status, headers={"content-type": "application/json"}, body=text)
        for _ in range(self.dice.choice((0, 0, 0, 0, 1, 1, 2))):
            answer = self.dice.choice(self._OF_ANSWER)(self, answer)
        return answer

    def _in_values(self, tree: Any) -> Any:
        holders = list(_holders(tree))
        if not holders:
            return self._value()
        holder = self.dice.choice(holders)
        names = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        name = self.dice.choice(names)
        deed = self.dice.randrange(6)
        if deed == 0:
            del holder[name]
        elif deed == 1 and isinstance(holder, dict):
            holder[self.dice.choice((str(name).upper(), str(name) + "s", "value", "amount"))] = holder.pop(name)
        elif deed == 2:
            other = self.dice.choice(holders)
            place = self.dice.choice(list(other) if isinstance(other, dict) else list(range(len(other))))
            holder[name], other[place] = copy.deepcopy(other[place]), copy.deepcopy(holder[name])
        elif deed == 3 and isinstance(holder, list):
            holder.append(copy.deepcopy(holder[name]))
        elif deed == 4 and type(holder[name]) is int:
            holder[name] += self.dice.choice((-1, 1, 100, -2_500, 2_500))
        else:
            holder[name] = self._value()
        return tree

    def _value(self) -> Any:
        return copy.deepcopy(self.dice.choice(self.values))

    def _say_twice(self, answer: Response) -> Response:
        found = list(_MEMBER.finditer(answer.body))
        if not found:
            return answer
        first, second = self.dice.choice(found), self.dice.choice(found)
        member = first.group() if self.dice.random() < 0.5 else _NUMBER.sub(b"2500", first.group())
        return replace(answer, body=answer.body[: second.end()] + b"," + member + answer.body[second.end() :])

    def _write_otherwise(self, answer: Response) -> Response:
        found = list(_NUMBER.finditer(answer.body))
        if not found:
            return answer
        one = self.dice.choice(found)
        return replace(answer, body=answer.body[: one.start()] + self.dice.choice(_LITERALS) + answer.body[one.end() :])

    def _cut(self, answer: Response) -> Response:
        return replace(answer, body=answer.body[: self.dice.randrange(len(answer.body) + 1)])

    def _flip(self, answer: Response) -> Response:
        body = bytearray(answer.body or b" ")
        body[self.dice.randrange(len(body))] = self.dice.randrange(256)
        return replace(answer, body=bytes(body))

    def _insert(self, answer: Response) -> Response:
        place = self.dice.randrange(len(answer.body) + 1)
        return replace(answer, body=answer.body[:place] + self.dice.randbytes(3) + answer.body[place:])

    def _wrap(self, answer: Response) -> Response:
        start, end = self.dice.choice(_WRAPPINGS)
        return replace(answer, body=start + answer.body + end)

    def _recode(self, answer: Response) -> Response:
        text = answer.body.decode("utf-8", "replace")
        return replace(answer, body=text.encode(self.dice.choice(("utf-16", "utf-7", "cp037")), "replace"))

    def _restate(self, answer: Response) -> Response:
        return replace(answer, status=self.dice.choice(STATUSES))

    def _head(self, answer: Response) -> Response:
        odd = {"retry-after": self.dice.choice(("soon", "-1", "9" * 400, "Wed, 99 Foo 2026")), "traceparent": "x" * 500}
        return replace(answer, headers={**answer.headers, **odd})

    _OF_ANSWER: ClassVar[tuple[Callable[["Spoiler", Response], Response], ...]] = (
        _say_twice,
        _say_twice,
        _write_otherwise,
        _write_otherwise,
        _cut,
        _flip,
        _insert,
        _wrap,
        _recode,
        _restate,
        _head,
    )


def _holders(tree: Any) -> list[Any]:
    found: list[Any] = []
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict | list) and node:
            found.append(node)
            waiting.extend(node.values() if isinstance(node, dict) else node)
    return found
