"""Cashiers at the desk: each searches, looks at the answer for a while, and searches again."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from urllib.parse import urlencode

from django.conf import settings

from tests.bench.search.questions import Question
from tests.bench.till_day.tills import SECONDS

THINKING = (2.0, 6.0)
"""Seconds between an answer and the next question, evenly drawn: some fifteen searches a minute, of the sixty allowed."""


@dataclass(frozen=True, kw_only=True)
class Search:
    """One search. `page_seconds` are those until the page that she sees, `is_found` whether it is one order's."""

    kind: str
    code: str
    seconds: float
    page_seconds: float
    is_found: bool


@dataclass(frozen=True, kw_only=True)
class Cashier:
    """Signed in by her session's key; `questions` are hers one after the other, each with the name of its kind."""

    session: str
    questions: Iterator[tuple[str, Question]]
    random: Random


class Searching:
    """Some cashiers who search for so many seconds, and think between two searches."""

    def __init__(
        self, port: int, cashiers: Sequence[Cashier], *, seconds: float, thinking: tuple[float, float] = THINKING
    ) -> None:
        self.searches: list[Search] = []
        self._port = port
        self._seconds = seconds
        self._thinking = thinking
        self._threads = [threading.Thread(target=self._search_on, args=(cashier,)) for cashier in cashiers]

    def run(self) -> None:
        self.start()
        self.join()

    def start(self) -> None:
        self._ends = time.monotonic() + self._seconds
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join()

    def _search_on(self, cashier: Cashier) -> None:
        line = http.client.HTTPConnection("127.0.0.1", self._port, timeout=SECONDS)
        time.sleep(cashier.random.uniform(0, self._thinking[1]))
        while time.monotonic() < self._ends:
            kind, question = next(cashier.questions)
            self.searches.append(_search(line, kind, question, cashier.session))
            time.sleep(cashier.random.uniform(*self._thinking))
        line.close()


def _search(line: http.client.HTTPConnection, kind: str, question: Question, session: str) -> Search:
    headers = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={session}"}
    began = time.monotonic()
    answered = began
    where = ""
    try:
        code, where = _get(line, f"/desk/?{urlencode(fields_of(question))}", headers)
        answered = time.monotonic()
        if where:
            code = f"{code} {_get(line, where, headers)[0]}"
    except (OSError, http.client.HTTPException) as error:
        line.close()
        code = type(error).__name__
    seen = time.monotonic()
    return Search(
        kind=kind,
        code=code,
        seconds=answered - began,
        page_seconds=seen - began,
        is_found=where.startswith("/desk/orders/"),
    )


def _get(line: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> tuple[str, str]:
    line.request("GET", path, headers=headers)
    answer = line.getresponse()
    answer.read()
    return str(answer.status), answer.headers.get("Location", "")


def fields_of(question: Question) -> dict[str, str]:
    """The fields of the desk's form."""
    fields = {"q": question.typed}
    given = question.filters
    if "store" in given:
        fields["store"] = given["store"].code
    if "amount_minor" in given:
        fields["amount"] = f"{given['amount_minor'] // 100}.{given['amount_minor'] % 100:02}"
    if "day" in given:
        fields["day"] = given["day"].isoformat()
    return fields
