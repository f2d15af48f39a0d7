"""Every request that the client sends, against Vipps' own OpenAPI files; where the two differ, the difference is asserted.

The files are Vipps' and stand beside the project, not in it: without them these tests are skipped, and say so.
"""

import copy
import functools
import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import yaml
from openapi_core import Config, OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest

from stores.vipps.ecom import Ecom
from stores.vipps.errors import Unsure, VippsError
from stores.vipps.exchange import Request
from tests.environment import PROJECT
from tests.stores.vipps.described_calls import CALLS, KEY, NOT_BUILT, Call
from tests.stores.vipps.recorded import Recorded, accountant, partner, unit
from tests.stores.vipps.world import BERGEN, World

FILES = PROJECT.parent / "shared" / "vipps" / "openapi"
pytestmark = pytest.mark.skipif(not FILES.is_dir(), reason="Vipps' OpenAPI files are not beside the project")


@functools.cache
def document(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((FILES / f"{name}.yaml").read_text())
    return loaded


@functools.cache
def description(name: str) -> OpenAPI:
    """The file as it is, but for what no Python validator can read, none of which is about a request of ours."""
    patched = copy.deepcopy(document(name))
    if name == "report-v2":
        patched["components"]["responses"].setdefault("500", {"description": "named in the file, and missing from it"})
    if name == "management-v1":
        # A pattern with \p{L}, which Python's expressions do not know.
        del patched["components"]["schemas"]["ProductOrderRequest"]["properties"]["salesUnitName"]["pattern"]
    return OpenAPI.from_dict(patched, config=Config(spec_validator_cls=None))


def checked(file: str, request: Request) -> list[str]:
    """What the file has against a request, as texts; none if it fits."""
    target = urlsplit(request.path)
    mock = MockRequest(
        "https://api.vipps.no",
        request.method.lower(),
        target.path,
        args=dict(parse_qsl(target.query)),
        headers=dict(request.headers),
        data=request.body or None,
        content_type=request.headers.get("Content-Type", "application/json"),
    )
    return [
        "; ".join([str(error), *(str(one.message) for one in getattr(error.__cause__, "schema_errors", ()))])
        for error in description(file).iter_request_errors(mock)
        if isinstance(error, OpenAPIError)
    ]


def sent(world: World, call: Call) -> Request:
    """The request, as the client sends it; what would be answered does not matter here."""
    answers = [Unsure("any")]
    session, recorder = partner(world, *answers) if call.as_partner else unit(world, *answers)
    with pytest.raises(VippsError):
        call.make(session)
    return recorder.call


def named(call: Call) -> str:
    return f"{call.file} {call.name}"


@pytest.mark.parametrize("call", [call for call in CALLS if not call.difference], ids=named)
def test_each_request_is_as_the_file_says(world: World, call: Call) -> None:
    assert checked(call.file, sent(world, call)) == []


@pytest.mark.parametrize("call", [call for call in CALLS if call.difference], ids=named)
def test_each_difference_is_the_one_that_is_listed(world: World, call: Call) -> None:
    assert call.reason
    told = checked(call.file, sent(world, call))
    assert len(told) == 1
    assert call.difference in told[0]


@pytest.mark.parametrize("kind", ["standard", "accounting"])
def test_both_token_calls_are_as_the_file_says(world: World, kind: str) -> None:
    recorder: Recorded
    session, recorder = unit(world, Unsure("any")) if kind == "standard" else accountant(Unsure("any"))
    session.ensure_token()
    [request] = recorder.sent("token")
    assert checked("access-token", request) == []


def test_an_msn_of_more_than_six_digits_is_newer_than_ecoms_file(world: World) -> None:
    """eCom's body takes 5 or 6 digits there; ePayment's newer file takes 4 to 10, and the unit's number is what it is."""
    keys = world.keys[BERGEN]
    recorder = Recorded(answers=[Unsure("any")])
    with pytest.raises(VippsError):
        Ecom(world.session("12345678", keys=keys, transport=recorder)).get_details("B-77")
    assert checked("ecom-v2", recorder.call) == []
    recorder.answers = [Unsure("any")]
    with pytest.raises(VippsError):
        Ecom(world.session("12345678", keys=keys, transport=recorder)).refund("B-77", 100, text="t", request_id=KEY)
    [told] = checked("ecom-v2", recorder.call)
    assert "'12345678' is too long" in told


def test_every_path_of_every_file_is_called_or_says_why_not() -> None:
    files = {call.file for call in CALLS}
    described = {(file, path) for file in files for path in document(file)["paths"]}
    called = {(call.file, call.path) for call in CALLS if call.path}
    assert called | set(NOT_BUILT) == described
    assert not called & set(NOT_BUILT)


def test_the_checking_itself_finds_what_is_wrong(world: World) -> None:
    [refund] = (call for call in CALLS if named(call) == "epayment-v1 refund")
    request = sent(world, refund)
    without_key = {name: value for name, value in request.headers.items() if name != "Idempotency-Key"}
    assert checked("epayment-v1", replace(request, headers=without_key))
    assert checked("epayment-v1", replace(request, headers={**request.headers, "Merchant-Serial-Number": "12"}))
    assert checked("epayment-v1", replace(request, body=json.dumps({"modificationAmount": {"value": 1}}).encode()))
    assert checked("epayment-v1", replace(request, path="/epayment/v1/payments/short/refund"))
