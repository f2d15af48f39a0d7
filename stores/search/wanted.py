"""What was asked for, normalised: the key, the filters, and what is too little to search by."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from stores.models import Store, reference_key
from stores.search.payloads import LONGEST_KEY, references_in, shown

_LONGEST_SHOWN = 200


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """`raw` is what was typed, trimmed; `key` what it is compared by, "" when nothing in it can be compared.

    A scanned payload may hold several texts that could be the reference: `texts`, likeliest first, and their `keys`.
    """

    raw: str
    key: str
    texts: tuple[str, ...] = ()
    store: Store | None = None
    amount_minor: int | None = None
    day: date | None = None

    @property
    def keys(self) -> list[str]:
        return [reference_key(text) for text in self.texts]

    def is_surely(self, text: str) -> bool:
        """Whether `text` is the likeliest of them, or each is more or less of it, so that none may be another order's."""
        key = reference_key(text)
        return not self.keys or key == self.keys[0] or all(key in other or other in key for other in self.keys)

    def filters(self) -> Q:
        """Store, amount and day as conditions on orders. A day is the store's own, or headquarters' without a store."""
        conditions = Q()
        if self.store is not None:
            conditions &= Q(store=self.store)
        if self.amount_minor is not None:
            conditions &= Q(claimed_minor=self.amount_minor) | Q(captured_minor=self.amount_minor)
        if bounds := self.day_bounds():
            conditions &= Q(paid_at__gte=bounds[0], paid_at__lt=bounds[1])
        return conditions

    def day_bounds(self) -> tuple[datetime, datetime] | None:
        """When the day begins and when the next one does (UTC)."""
        if self.day is None:
            return None
        starts = datetime.combine(self.day, time(), tzinfo=self.zone)
        # The next midnight, not 24 hours on: two days a year are shorter and longer.
        ends = datetime.combine(self.day + timedelta(days=1), time(), tzinfo=self.zone)
        return starts.astimezone(UTC), ends.astimezone(UTC)

    @property
    def zone(self) -> ZoneInfo:
        """Where the days of this search begin and end."""
        return ZoneInfo(self.store.time_zone if self.store is not None else timezone.get_default_timezone_name())

    def refusal(self) -> str | Promise:
        """Why this cannot be searched for at all, "" when it can."""
        if self.raw and not self.key:
            return _("Type letters or digits of the reference.")
        if len(self.key) > LONGEST_KEY:
            return _("No reference is that long.")
        if self.day is not None and not date(2015, 1, 1) <= self.day <= date(9000, 1, 1):
            return _("No order was paid on that day.")
        if not self.key and self.amount_minor is not None and self.store is None and self.day is None:
            return _("Choose a store or a day as well as the amount.")
        if not self.key and self.store is None and self.day is None:
            return _("Type or scan a reference, or choose a store and a day.")
        return ""


def want(typed: str, *, store: Store | None = None, amount_minor: int | None = None, day: date | None = None) -> Wanted:
    """Only letters and digits of `typed` count, so nothing that is typed can act as a wildcard or end a text early."""
    texts = references_in(typed)
    # An amount beyond the column's range equals no amount, and must not reach SQL.
    amount = None if amount_minor is None else max(-1, min(amount_minor, 2**62))
    return Wanted(
        raw=shown(typed)[:_LONGEST_SHOWN],
        key=reference_key(texts[0] if texts else shown(typed)),
        texts=tuple(texts),
        store=store,
        amount_minor=amount,
        day=day,
    )
