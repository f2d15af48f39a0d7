"""Every answer of the simulator against Vipps' own OpenAPI files, operation by operation and status by status.

The files are Vipps' and stand beside the project, not in it: without them these tests are skipped, and say so.
"""

from __future__ import annotations

import copy
import functools
import json
import re
from dataclasses import replace
from typing import Any

import pytest
import yaml
from openapi_core import Config, OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse

from stores.vipps.simulator.wire import UTF8_JSON
from tests.environment import PROJECT
from tests.stores.vipps.answered import Described, modified, shop_of, unsigned
from tests.stores.vipps.calling import ECOM, Answer
from tests.stores.vipps.described_answers import DESCRIBED
from tests.stores.vipps.not_simulated import NOT_BUILT
from tests.stores.vipps.world import ORDER, World

FILES = PROJECT.parent / "shared" / "vipps" / "openapi"
pytestmark = pytest.mark.skipif(not FILES.is_dir(), reason="Vipps' OpenAPI files are not beside the project")
NAMES = ("access-token", "epayment-v1", "ecom-v2", "webhooks-v1", "order-management-v2", "report-v2", "qr-v1", "management-v1")
CASES = [(each, status) for each in DESCRIBED for status in each.makes]


@functools.cache
def document(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((FILES / f"{name}.yaml").read_text())
    return loaded


@functools.cache
def description(name: str) -> OpenAPI:
    """The file as it is, but for what no Python validator can read."""
    patched = copy.deepcopy(document(name))
    for path in patched["paths"].values():
        for operation in path.values():
            if isinstance(operation, dict) and "responses" in operation:
                # YAML reads an unquoted status as a number.
                operation["responses"] = {str(status): told for status, told in operation["responses"].items()}
    if name == "report-v2":
        responses = patched["components"]["responses"]
        patched["components"]["responses"] = {str(status): told for status, told in responses.items()}
    if name == "management-v1":
        # A pattern with \p{L}, which Python's expressions do not know.
        del patched["components"]["schemas"]["ProductOrderRequest"]["properties"]["salesUnitName"]["pattern"]
    config = Config(spec_validator_cls=None, extra_media_type_deserializers={"application/problem+json": json.loads})
    return OpenAPI.from_dict(patched, config=config)


def operations(name: str) -> dict[str, set[str]]:
    """The documented statuses of each operation."""
    found = {}
    for path, methods in document(name)["paths"].items():
        for method, told in methods.items():
            if isinstance(told, dict) and "responses" in told:
                found[f"{method.upper()} {path}"] = {str(status) for status in told["responses"]}
    return found


def against(name: str, answer: Answer) -> list[str]:
    """What the file has against an answer, as texts; none if it fits."""
    call, reply = answer.call, answer.reply
    request = MockRequest("https://api.vipps.no", call.method.lower(), call.path)
    response = MockResponse(reply.body, status_code=reply.status, headers=dict(reply.headers), content_type=reply.content_type)
    return [
        "; ".join([str(error), *(str(one.message) for one in getattr(error.__cause__, "schema_errors", ()))])
        for error in description(name).iter_response_errors(request, response)
        if isinstance(error, OpenAPIError)
    ]


def named(case: Described | str) -> str:
    return case if isinstance(case, str) else re.sub(r"[{}]", "", f"{case.file} {case.operation}")


@pytest.mark.parametrize(("case", "status"), CASES, ids=named)
def test_each_answer_is_as_the_file_says_or_differs_as_listed(world: World, case: Described, status: str) -> None:
    answer = case.makes[status](world, shop_of(world))
    if status == "default":
        assert answer.status >= 400
        assert str(answer.status) not in operations(case.file)[case.operation]
    else:
        assert answer.status == int(status)
    told = against(case.file, answer)
    if status not in case.differs:
        assert told == []
        return
    text, reason = case.differs[status]
    assert reason
    assert len(told) == 1
    assert text in told[0]


@pytest.mark.parametrize("name", NAMES)
def test_every_operation_and_every_documented_status_is_walked_or_says_why_not(name: str) -> None:
    walked = {each.operation: set(each.makes) for each in DESCRIBED if each.file == name}
    left_out = NOT_BUILT.get(name, {})
    assert not set(walked) & set(left_out)
    assert all(left_out.values())
    documented = {operation: statuses for operation, statuses in operations(name).items() if operation not in left_out}
    assert walked == documented


@pytest.mark.parametrize(("operation", "reference"), [("refund", ORDER), ("cancel", "bergen-reserved")])
def test_with_the_files_content_type_a_modification_fits(world: World, operation: str, reference: str) -> None:
    world.simulator.change_switches(modification_content_type="application/problem+json")
    assert against("epayment-v1", modified(operation, reference)(world, shop_of(world))) == []


@pytest.mark.parametrize(("shape", "fits"), [("response_info", True), ("status_message", False)])
def test_with_the_files_gateway_shape_ecoms_refusal_fits(world: World, shape: str, fits: bool) -> None:
    world.simulator.change_switches(gateway_shape=shape)
    answer = unsigned("GET", f"{ECOM}/{ORDER}/details")(world, shop_of(world))
    typed = Answer(call=answer.call, reply=replace(answer.reply, content_type=UTF8_JSON))
    assert (against("ecom-v2", typed) == []) is fits


def test_the_checking_itself_finds_what_is_wrong(world: World) -> None:
    shop = shop_of(world)
    right = shop.call("GET", f"/epayment/v1/payments/{ORDER}")
    assert against("epayment-v1", right) == []
    for before, after in ((b'"state":"AUTHORIZED"', b'"state":"REFUNDED"'), (b'"value":10000', b'"value":"10000"')):
        spoiled = Answer(call=right.call, reply=replace(right.reply, body=right.reply.body.replace(before, after)))
        assert spoiled.reply.body != right.reply.body
        assert against("epayment-v1", spoiled)
