"""Looking into other stores' sales leaves a line, and nobody looks up more than a person would."""

from datetime import timedelta

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from stores import clock
from stores.access import Asker
from stores.errors import HubError
from stores.models import LookUp, Store, StoreSystem

_WINDOW = timedelta(minutes=1)
_RETRY_AFTER_SECONDS = 60


class TooManyLookUps(HubError):
    """The asker searched too often within a minute."""

    code = "too_many_look_ups"
    status = 429


def check_limit(asker: Asker) -> None:
    """Raises TooManyLookUps when the last minute holds `settings.LOOK_UPS_PER_MINUTE` look-ups of this asker."""
    recent = LookUp.objects.filter(**_who(asker), at__gt=clock.sql_now() - _WINDOW)
    if recent[: settings.LOOK_UPS_PER_MINUTE].count() >= settings.LOOK_UPS_PER_MINUTE:
        raise TooManyLookUps(
            _("That was a great many searches. Wait a minute and search again."), retry_after=_RETRY_AFTER_SECONDS
        )


def record_look_up(asker: Asker, typed: str, *, store: Store | None, hits: int) -> None:
    """One line of the look-up log; `store` is the store searched in, None for the whole chain."""
    LookUp.objects.create(**_who(asker), typed=typed[:100], store=store, hits=hits, at=clock.sql_now())


def _who(asker: Asker) -> dict[str, Asker]:
    return {"system": asker} if isinstance(asker, StoreSystem) else {"user": asker}
