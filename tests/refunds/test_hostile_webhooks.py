"""Hostile webhooks by seed, a few of those of `python -m tests.faults.webhooks`; what once went wrong is kept by name."""

import pytest
from django.test import Client

from refunds import doorbell
from stores.models import Notice, NoticeVerdict
from tests.conftest import Chain
from tests.faults.webhooks import KINDS, run
from tests.vipps_notices import VIPPS, body_of, registered

REFERENCE = "BGO-20261101-8801"


def test_none_of_hundreds_is_believed_and_none_moves_anything(db: None) -> None:
    tally = run(count=300, seed=1)
    assert tally.wrong == []
    assert tally.kinds.keys() == KINDS
    seen = {"genuine", "duplicate", "changed", "forged", "stale", "malformed", "other_unit", "not kept"}
    assert seen <= tally.verdicts.keys()
    assert tally.believed == tally.kinds["genuine"]


@pytest.mark.parametrize("more", ["%00", "%ff", "%0a", "/", "/..", "?a=1", "?a", "a", "é"])
def test_an_address_that_is_almost_right_is_not_found(chain: Chain, more: str) -> None:
    registration = registered(chain.units["BGO"])
    path = f"/hooks/vipps/{registration.token}{more}"
    assert Client().post(path, body_of("100002", REFERENCE), content_type="application/json").status_code == 404
    assert not Notice.objects.exists()


def test_a_header_that_a_nul_was_put_into_stays_wrong(chain: Chain) -> None:
    registration = registered(chain.units["BGO"])
    body = body_of("100002", REFERENCE)
    VIPPS.send(registration.url, body)
    [right] = Notice.objects.all()
    headers = {name: right.headers[name] for name in ("x-ms-date", "x-ms-content-sha256")}
    headers["Authorization"] = f"{right.headers['Authorization']}\0"
    Client().post(f"/hooks/vipps/{registration.token}", body, content_type="application/json", headers=headers)
    wrong = Notice.objects.exclude(pk=right.pk).get()
    assert doorbell.answer(wrong.pk) == 0
    wrong.refresh_from_db()
    assert wrong.verdict == NoticeVerdict.FORGED
