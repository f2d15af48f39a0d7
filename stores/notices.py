"""Vipps' notices: kept by the web as they came, read later by whoever may open the secret that proves them."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

import msgspec
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from stores import clock, signing
from stores.errors import HubError, Misconfigured, NotFound
from stores.models import Notice, NoticeVerdict, SalesUnit, WebhookRegistration
from stores.vipps.signatures import Signed, Verdict

logger = logging.getLogger(__name__)

KEPT_HEADERS = ("Authorization", "Host", "Webhook-Id", "x-ms-content-sha256", "x-ms-date")
MOST_UNREAD = 1000
"""How many notices of one registration may wait to be read; beyond that Vipps is asked to come back."""
COUNTS_AFTER_END = timedelta(days=7)
"""Vipps repeats a notice for at most 7 days (Vipps: Webhooks API, retries)."""
WAITS_FOR_SECRET = timedelta(hours=1)
WAITS_FOR_KEY = COUNTS_AFTER_END
"""A worker with the right vault key may come; by then Vipps itself has given up."""
_LONGEST_HEADER = 500
_NO_NUL = "\ufffd"
"""PostgreSQL keeps no NUL; left out, it would make a header right that came wrong."""


class TooManyUnread(HubError):
    """The workers do not keep up, or somebody floods one address."""

    code = "too_many_unread"
    status = 503


class Told(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The little that we take from a notice: which event of which payment. Amounts and states are read at Vipps."""

    msn: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4,10}\Z")]
    reference: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9-]{1,64}\Z")]
    name: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.-]{1,60}\Z")]
    psp_reference: Annotated[str, msgspec.Meta(pattern=r"^[\x21-\x7e]{1,80}\Z")]


_reader = msgspec.json.Decoder(Told)


@dataclass(frozen=True, kw_only=True)
class News:
    """A genuine notice, told for the first time: something happened to this payment. `name` is Vipps' word for it."""

    sales_unit: SalesUnit
    reference: str
    name: str


def keep_notice(token: str, *, body: bytes, headers: Mapping[str, str]) -> Notice:
    """Keep a call of Vipps as it came; nothing of it is parsed or believed. Opens no secret.

    Raises NotFound for a token of no registration, TooManyUnread (503).
    """
    registration = WebhookRegistration.objects.filter(token=token).first()
    if registration is None:
        raise NotFound(_("There is no such address."))
    unread = Notice.objects.filter(registration=registration, verdict=NoticeVerdict.UNREAD).order_by("-id")
    if len(unread.values_list("pk")[:MOST_UNREAD]) >= MOST_UNREAD:
        raise TooManyUnread(_("Too many notices wait to be read. Come back later."))
    kept = {name: headers.get(name, "").replace("\0", _NO_NUL)[:_LONGEST_HEADER] for name in KEPT_HEADERS}
    return Notice.objects.create(registration=registration, body=body, headers=kept, received_at=clock.db_now())


def read_notice(notice_id: int, *, heard: Callable[[News], None] | None = None) -> News | None:
    """Prove one notice and write the verdict. News only if it is genuine, of a sales unit of its registration, and new.

    `heard` is told the news within the transaction that writes the verdict: both are kept, or neither.
    None for everything else: forged, told before, read already, being read by somebody else, or not readable yet.
    """
    with transaction.atomic():
        notice = (
            Notice.objects.select_for_update(of=("self",), skip_locked=True)
            .select_related("registration__sales_unit", "registration__key_set")
            .filter(pk=notice_id, verdict=NoticeVerdict.UNREAD)
            .first()
        )
        if notice is None:
            return None
        verdict = _verdict(notice)
        if verdict is not NoticeVerdict.GENUINE:
            _write(notice, verdict)
            return None
        try:
            told = _reader.decode(bytes(notice.body))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            _write(notice, NoticeVerdict.MALFORMED)
            return None
        unit = _unit_of(notice.registration, told.msn)
        if unit is None:
            _write(notice, NoticeVerdict.OTHER_UNIT)
            return None
        if not _write_genuine(notice, told):
            _write(notice, NoticeVerdict.DUPLICATE)
            return None
        news = News(sales_unit=unit, reference=told.reference, name=told.name)
        if heard is not None:
            heard(news)
    return news


def unread_notices(*, limit: int) -> list[int]:
    """Ids of notices that wait, the newest first: an old one that nobody can read must not stand before the others."""
    unread = Notice.objects.filter(verdict=NoticeVerdict.UNREAD).order_by("-id")
    return list(unread.values_list("pk", flat=True)[:limit])


def _verdict(notice: Notice) -> NoticeVerdict:
    """UNREAD stands for "not yet": the secret has not been entered, or does not open in this process."""
    registration = notice.registration
    if registration.ended_at and notice.received_at > registration.ended_at + COUNTS_AFTER_END:
        return NoticeVerdict.ENDED
    signed = Signed(
        body=bytes(notice.body),
        date=notice.headers["x-ms-date"],
        content_hash=notice.headers["x-ms-content-sha256"],
        authorization=notice.headers["Authorization"],
    )
    try:
        verdict: Verdict = signing.judge_notice(registration, signed, received_at=notice.received_at)
    except Misconfigured as error:
        logger.warning("notice %s cannot be checked: %s", notice.pk, error.code)
        patience = WAITS_FOR_SECRET if error.code == "no_signing_secret" else WAITS_FOR_KEY
        is_late = clock.db_now() - notice.received_at > patience
        return NoticeVerdict.UNREADABLE if is_late else NoticeVerdict.UNREAD
    return NoticeVerdict(verdict.value)


def _unit_of(registration: WebhookRegistration, msn: str) -> SalesUnit | None:
    """The sales unit of that MSN if this registration may speak of it."""
    if registration.sales_unit is not None:
        return registration.sales_unit if registration.sales_unit.msn == msn else None
    units = SalesUnit.objects.filter(environment=registration.environment, key_set=registration.key_set)
    return units.filter(msn=msn).first()


def _write(notice: Notice, verdict: NoticeVerdict) -> None:
    if verdict is not NoticeVerdict.UNREAD:
        Notice.objects.filter(pk=notice.pk).update(verdict=verdict, read_at=clock.db_now())


def _write_genuine(notice: Notice, told: Told) -> bool:
    """False where the same event of the same payment was told before."""
    try:
        with transaction.atomic():
            Notice.objects.filter(pk=notice.pk).update(
                verdict=NoticeVerdict.GENUINE,
                read_at=clock.db_now(),
                environment=notice.registration.environment,
                msn=told.msn,
                reference=told.reference,
                name=told.name,
                psp_reference=told.psp_reference,
            )
    except IntegrityError:
        return False
    return True
