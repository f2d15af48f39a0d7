"""The MSN lock: a session speaks for one sales unit, with the keys it is bound to, and each opening is told."""

import json
import logging
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from pytest_django import Settings

from stores import actors, clock, credentials, registry, sessions
from stores.clock import Source
from stores.errors import Misconfigured
from stores.models import Entry, KeySet, SalesUnit, Secret
from stores.vipps.epayment import Epayment
from stores.vipps.errors import NotSent, VippsError
from stores.vipps.exchange import Deadline, Request, Response
from tests.stores.conftest import OPENED, Ground, keys_named, make_ground, unit_of

WORKER = actors.hub("worker")


class Listener:
    """Answers every token request and 404 to the rest; remembers what it heard."""

    def __init__(self) -> None:
        self.heard: list[Request] = []

    def send(self, request: Request, *, deadline: Deadline) -> Response:
        self.heard.append(request)
        if request.operation == "token":
            body = json.dumps({"access_token": f"token-{request.headers['client_id']}", "expires_in": "3600"})
            return Response(status=200, headers={"content-type": "application/json"}, body=body.encode())
        return Response(status=404, headers={"content-type": "application/json"}, body=b"{}")


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    with sessions.use_transport(listener):
        yield listener


def openings() -> list[Entry]:
    return list(Entry.objects.filter(event__in=["keys.opened", "keys.not_opened"]).order_by("id"))


def headers_of(unit: SalesUnit, listener: Listener) -> dict[str, str]:
    sessions.open_session(unit, by=WORKER, why="a refund").ensure_token()
    return dict(listener.heard[-1].headers)


def test_each_sales_unit_speaks_with_its_own_msn_and_keys(ground: Ground, listener: Listener) -> None:
    for unit, name, msn in (
        (ground.oslo_unit, "OSL", "100001"),
        (ground.bergen_unit, "BGO", "100002"),
        (ground.trondheim_unit, "partner", "100003"),
    ):
        headers = headers_of(unit, listener)
        assert headers["Merchant-Serial-Number"] == msn
        assert headers["client_id"] == f"id-{name}"
        assert headers["client_secret"] == f"secret-{name}"
        assert headers["Ocp-Apim-Subscription-Key"] == f"sub-{name}"
    assert {request.base_url for request in listener.heard} == {"http://127.0.0.1:8181"}


def test_units_on_partner_keys_share_the_keys_and_not_the_msn(ground: Ground, listener: Listener) -> None:
    other = unit_of(ground.oslo, "100009")
    registry.bind_partner_keys(other, ground.partner, by=ground.by)
    for unit, msn in ((ground.trondheim_unit, "100003"), (other, "100009")):
        session = sessions.open_session(unit, by=WORKER, why="a refund")
        with pytest.raises(VippsError):
            Epayment(session).get_payment("order-1001")
        assert listener.heard[-1].headers["Merchant-Serial-Number"] == msn
        assert listener.heard[-1].headers["Authorization"] == "Bearer token-id-partner"


def test_an_opening_is_one_entry_in_the_chain_of_the_stores_keys(ground: Ground, listener: Listener) -> None:
    for _ in range(3):
        sessions.open_session(ground.oslo_unit, by=WORKER, why="refund 1")
        sessions.open_session(ground.trondheim_unit, by=WORKER, why="refund 2")
    assert [(entry.event, str(entry.chain)) for entry in openings()] == [("keys.opened", "OSL"), ("keys.opened", "HQ")]
    told = json.loads(openings()[0].canonical)
    assert told["facts"]["why"] == "refund 1"
    assert told["facts"]["version"] == 1
    assert told["actor"]["name"] == "worker"
    assert "secret-OSL" not in openings()[0].canonical
    assert KeySet.objects.get(sales_units=ground.oslo_unit.pk).last_opened_at is not None


def test_a_unit_that_stores_share_is_told_at_headquarters(ground: Ground, listener: Listener) -> None:
    unit = unit_of(ground.oslo, "100009", prefix="OSL-")
    registry.share_sales_unit(ground.bergen, unit, prefix="BGO-", channel="in_store", valid_from=OPENED, by=ground.by)
    registry.bind_own_keys(unit, keys_named("shared"), by=ground.by)
    sessions.open_session(unit, by=WORKER, why="a refund")
    assert str(openings()[-1].chain) == "HQ"


def test_new_keys_are_used_from_the_next_session_on(ground: Ground, listener: Listener) -> None:
    assert headers_of(ground.oslo_unit, listener)["client_id"] == "id-OSL"
    registry.bind_own_keys(ground.oslo_unit, keys_named("new"), by=ground.by)
    assert headers_of(ground.oslo_unit, listener)["client_id"] == "id-new"
    assert [json.loads(entry.canonical)["facts"]["version"] for entry in openings()] == [1, 2]


def test_opened_keys_are_kept_ten_minutes_at_most(ground: Ground, listener: Listener) -> None:
    elapsed = [1000.0]
    with clock.bound(Source(monotonic=lambda: elapsed[0])):
        sessions.open_session(ground.oslo_unit, by=WORKER, why="a")
        elapsed[0] += 599
        sessions.open_session(ground.oslo_unit, by=WORKER, why="b")
        assert len(openings()) == 1
        elapsed[0] += 1
        sessions.open_session(ground.oslo_unit, by=WORKER, why="c")
    assert len(openings()) == 2
    assert timedelta(seconds=sessions.KEPT_SECONDS) <= timedelta(minutes=10)


def test_forgotten_keys_are_opened_and_told_again(ground: Ground, listener: Listener) -> None:
    key_set = KeySet.objects.get(sales_units=ground.oslo_unit.pk)
    sessions.open_session(ground.oslo_unit, by=WORKER, why="a")
    sessions.open_session(ground.bergen_unit, by=WORKER, why="a")
    sessions.forget(key_set.pk)
    sessions.open_session(ground.oslo_unit, by=WORKER, why="b")
    sessions.open_session(ground.bergen_unit, by=WORKER, why="b")
    assert len(openings()) == 3
    sessions.forget_all()
    sessions.open_session(ground.bergen_unit, by=WORKER, why="c")
    assert len(openings()) == 4


def test_without_the_private_key_the_refusal_is_told(ground: Ground, listener: Listener, settings: Settings) -> None:
    settings.VAULT_PRIVATE_KEYS = ""
    with pytest.raises(Misconfigured) as refused:
        sessions.open_session(ground.oslo_unit, by=WORKER, why="a refund")
    assert refused.value.code == "keys_unreadable"
    [entry] = openings()
    assert (entry.event, str(entry.chain)) == ("keys.not_opened", "OSL")
    assert listener.heard == []


def refused_code(unit: SalesUnit) -> str:
    with pytest.raises(Misconfigured) as refused:
        sessions.open_session(unit, by=WORKER, why="a refund")
    assert unit.msn not in str(refused.value)
    return refused.value.code


def test_a_unit_without_keys_has_no_session(ground: Ground, listener: Listener) -> None:
    unit = unit_of(ground.oslo, "100009")
    assert refused_code(unit) == "no_keys"
    empty = credentials.make_key_set(
        ground.company, kind="partner", name="Two", environment="simulator", subject="p-2", by=ground.by
    )
    registry.bind_partner_keys(unit, empty, by=ground.by)
    assert refused_code(unit) == "no_keys"
    assert openings() == []


def test_a_binding_that_the_registry_would_not_make_is_not_followed(ground: Ground, listener: Listener) -> None:
    SalesUnit.objects.filter(pk=ground.oslo_unit.pk).update(key_set=ground.bergen_unit.key_set)
    assert refused_code(ground.oslo_unit) == "keys_unreadable"
    ground.trondheim_unit.environment = "production"
    assert refused_code(ground.trondheim_unit) == "keys_unreadable"
    assert listener.heard == []


def test_keys_swapped_in_the_database_do_not_open(ground: Ground, listener: Listener) -> None:
    oslo, bergen = ground.oslo_unit.key_set, ground.bergen_unit.key_set
    assert oslo is not None
    assert bergen is not None
    for row in Secret.objects.filter(row_id=str(bergen.public_id)):
        Secret.objects.filter(row_id=str(oslo.public_id), field=row.field).update(sealed=row.sealed)
    assert refused_code(ground.oslo_unit) == "keys_unreadable"
    assert listener.heard == []


def test_an_environment_without_an_address_has_no_session(ground: Ground, listener: Listener, settings: Settings) -> None:
    settings.VIPPS_BASE_URLS = {"simulator": ""}
    assert refused_code(ground.oslo_unit) == "no_base_url"


def test_no_key_reaches_the_log(ground: Ground, listener: Listener, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        headers_of(ground.oslo_unit, listener)
    for needle in ("id-OSL", "secret-OSL", "sub-OSL", "token-"):
        assert needle not in caplog.text


@pytest.mark.django_db(transaction=True)
def test_sessions_open_from_many_threads_at_once(listener: Listener) -> None:
    ground = make_ground()
    failures: list[BaseException] = []

    def speak() -> None:
        try:
            for unit in (ground.oslo_unit, ground.bergen_unit):
                sessions.open_session(unit, by=WORKER, why="a refund").ensure_token()
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=speak) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert 2 <= len(openings()) <= 12
    assert {request.headers["client_id"] for request in listener.heard} == {"id-OSL", "id-BGO"}


class Watch(Listener):
    """Writes only what may still be written, as a transport does."""

    def send(self, request: Request, *, deadline: Deadline) -> Response:
        deadline.check_may_write(request.operation)
        return super().send(request, deadline=deadline)


def test_a_session_measures_its_tokens_and_its_deadlines_by_the_hubs_clock(ground: Ground) -> None:
    """The moment after which a refund may not be written any more comes from there, so it must be compared there."""
    elapsed, watch = 1_000_000.0, Watch()
    with clock.bound(Source(monotonic=lambda: elapsed)), sessions.use_transport(watch):
        session = sessions.open_session(ground.oslo_unit, by=WORKER, why="a refund")
        session.ensure_token()
        with pytest.raises(NotSent):
            session.call("refund", "POST", "/x", send_before=elapsed - 1)
        with pytest.raises(VippsError):
            session.call("refund", "POST", "/x", send_before=elapsed + 1)
        elapsed += 4_000.0
        session.ensure_token()
    assert [request.operation for request in watch.heard] == ["token", "refund", "token"]
