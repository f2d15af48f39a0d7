"""Which part of the orders has to be walked: one store's, or those of certain days, as asked for or as a text lets guess."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from stores import clock
from stores.models import Company, Store
from stores.reference_template import Guess, NotATemplate, parse_template
from stores.search.dates import days_in
from stores.search.wanted import Wanted

MOST_GUESSES = 3
_SLACK = timedelta(days=1)
"""A till may write the day on which its shift began, and the time of the payment may be Vipps'."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """Orders of a store, and of the time from `since` until before `until` (UTC); None where it does not matter."""

    store_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_everything(self) -> bool:
        return self == Part()

    def holds(self, at: datetime) -> bool:
        """Whether an order of that time can lie in it."""
        return (self.since is None or self.since <= at) and (self.until is None or at < self.until)


def asked_part(wanted: Wanted) -> Part:
    """The part that the store and the day which were asked for leave."""
    since, until = wanted.day_bounds() or (None, None)
    return Part(store_id=wanted.store.pk if wanted.store else None, since=since, until=until)


def guessed_parts(wanted: Wanted, company: Company) -> list[Part]:
    """What store and days the key itself names, by the chain's template or by digits that look like a day.

    Never contradicts what was asked for.
    """
    asked = asked_part(wanted)
    guesses = [*_by_template(wanted, company), *(Guess(first=first, last=last) for first, last in _by_digits(wanted))]
    stores = {store.code: store for store in _stores_of(guesses, company)}
    parts: dict[Part, None] = {}
    for guess in guesses:
        store = stores.get(guess.code)
        if (guess.code and store is None) or (store and wanted.store and store.pk != wanted.store.pk):
            continue
        since, until = _bounds(guess, wanted) if asked.since is None else (asked.since, asked.until)
        part = Part(store_id=store.pk if store else asked.store_id, since=since, until=until)
        if part != asked:
            parts[part] = None
    return list(parts)[:MOST_GUESSES]


def _by_template(wanted: Wanted, company: Company) -> list[Guess]:
    if not company.reference_template:
        return []
    try:
        return parse_template(company.reference_template).guesses(wanted.key)
    except NotATemplate:
        # It is checked when it is written; a search must not depend on that.
        return []


def _by_digits(wanted: Wanted) -> list[tuple[date, date]]:
    return days_in(wanted.key, today=clock.db_now().astimezone(wanted.zone).date())


def _stores_of(guesses: list[Guess], company: Company) -> list[Store]:
    codes = {guess.code for guess in guesses if guess.code}
    return list(Store.objects.filter(company=company, code__in=codes)) if codes else []


def _bounds(guess: Guess, wanted: Wanted) -> tuple[datetime | None, datetime | None]:
    if guess.first is None or guess.last is None:
        return None, None
    since = datetime.combine(guess.first, time(), tzinfo=wanted.zone) - _SLACK
    until = datetime.combine(guess.last + timedelta(days=1), time(), tzinfo=wanted.zone) + _SLACK
    return since.astimezone(UTC), until.astimezone(UTC)
