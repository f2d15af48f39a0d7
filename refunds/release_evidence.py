"""What Vipps allows two people to say about a release in review: pure, no database, no clock, no call."""

from datetime import datetime, timedelta

from refunds.deciding import Reading
from refunds.evidence import Contradiction
from refunds.models import Ending
from refunds.release_deciding import shown_by


def contradiction(
    ends_as: Ending, reading: Reading, *, unresolved_since: datetime | None, seen_at: datetime, quiet_time: timedelta
) -> Contradiction | None:
    """Why the release may not end so; None: what Vipps shows allows it. Whoever cancelled it, cancelled is cancelled."""
    is_released = shown_by(reading).is_released
    if ends_as == Ending.RELEASED:
        return None if is_released else Contradiction.SHOWS_NO_RELEASE
    if is_released:
        return Contradiction.SHOWS_RELEASE
    is_open = unresolved_since is not None and seen_at < unresolved_since + quiet_time
    return Contradiction.TOO_EARLY if is_open else None
