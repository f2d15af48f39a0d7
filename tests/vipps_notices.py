"""Vipps as the sender of notices, for tests: signs and calls the address it was given."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import urlsplit

from django.http import HttpResponse
from django.test import Client

from stores import registrations
from stores.actors import hub
from stores.models import KeySet, SalesUnit, WebhookRegistration
from stores.vipps import signatures

SECRET = "A0+AeKBRG2KRGvnNwJpQlb6IJFk48CKXCIcrLoHncVJKDILsQSxS6NWCccwWm6r6FhGKhiHTBsG2wo/xU6FY/A=="
BASE = "https://refunds.example"


def registered(subject: SalesUnit | KeySet, *, provider_id: str = "vipps-1", secret: str = SECRET) -> WebhookRegistration:
    """An address that Vipps knows, with Vipps' id and secret entered."""
    by = hub("test")
    opened = registrations.open_registration(subject, base_url=BASE, by=by)
    return registrations.confirm_registration(opened, provider_id=provider_id, secret=secret, by=by)


def body_of(msn: str, reference: str, *, name: str = "REFUNDED", psp_reference: str = "psp-1") -> bytes:
    """A payload as Vipps sends it (Vipps: ePayment API, WebhookEvent)."""
    told = {
        "msn": msn,
        "reference": reference,
        "pspReference": psp_reference,
        "name": name,
        "amount": {"currency": "NOK", "value": 9_999_999},
        "timestamp": "2026-11-24T12:00:00Z",
        "idempotencyKey": None,
        "success": True,
    }
    return json.dumps(told).encode()


@dataclass(frozen=True, kw_only=True)
class Sender:
    """Vipps, or somebody who would like to be: the secret it signs with, and how late its clock says it is."""

    secret: str = SECRET
    late: timedelta = timedelta()

    def send(self, url: str, body: bytes, *, to: str | None = None) -> HttpResponse:
        """Sign for `url` and call it, or call `to` with what was signed for `url`."""
        signed_for = urlsplit(url)
        signed = signatures.sign(
            self.secret,
            body=body,
            date=format_datetime(datetime.now(UTC) - self.late, usegmt=True),
            host=signed_for.netloc,
            path_and_query=signed_for.path,
        )
        response = Client().post(
            urlsplit(to or url).path,
            data=body,
            content_type="application/json",
            headers={
                "x-ms-date": signed.date,
                "x-ms-content-sha256": signed.content_hash,
                "Authorization": signed.authorization,
            },
        )
        assert isinstance(response, HttpResponse)
        return response


VIPPS = Sender()
