"""The OpenAPI document is true: valid, complete about errors, and kept by every operation that answers."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import booleans
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.conftest import Chain
from tests.till import Till

OPERATIONS = {
    "syncOrders",
    "getSyncPosition",
    "listOrders",
    "getOrder",
    "askVipps",
    "getLookUp",
    "getRefundable",
    "requestRefund",
    "requestRelease",
    "requestRefunds",
    "listRefunds",
    "getRefund",
    "getRefundByKey",
    "listReasons",
}


def document() -> dict[str, Any]:
    response = Client().get("/api/schema/", headers={"Accept": "application/json"})
    assert response.status_code == 200
    found: dict[str, Any] = json.loads(response.content)
    return found


def operations() -> list[dict[str, Any]]:
    return [operation for path in document()["paths"].values() for operation in path.values()]


def test_the_document_is_valid_openapi_3_1() -> None:
    found = document()
    assert found["openapi"] == "3.1.0"
    OpenAPIV31SpecValidator(found).validate()


def test_it_names_every_operation_and_asks_each_for_the_key() -> None:
    assert {operation["operationId"] for operation in operations()} == OPERATIONS
    assert all(operation["security"] == [{"apiKey": []}] for operation in operations())
    assert document()["components"]["securitySchemes"]["apiKey"]["scheme"] == "bearer"


def test_every_error_of_every_operation_is_a_problem() -> None:
    for operation in operations():
        errors = {status: answer for status, answer in operation["responses"].items() if int(status) >= 400}
        assert {"400", "401", "403", "405", "406", "429", "500", "503"} <= errors.keys(), operation["operationId"]
        for answer in errors.values():
            assert answer["content"] == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


def test_no_request_has_a_place_for_an_msn() -> None:
    schemas = document()["components"]["schemas"]
    assert not [name for name, schema in schemas.items() if "msn" in schema.get("properties", {})]
    assert not [part["name"] for operation in operations() for part in operation.get("parameters", []) if "msn" in part["name"]]


def test_the_pages_load_nothing_from_elsewhere() -> None:
    page = Client().get("/api/docs/")
    script = Client().get("/api/docs/?script=")
    assert (page.status_code, script.status_code) == (200, 200)
    for text in (page.content.decode(), script.content.decode()):
        assert "://" not in text.replace("http://testserver", "")
    assert "<script>" not in page.content.decode()


@pytest.fixture
def kept_connection() -> Iterator[None]:
    """As Django's own client does: a request must not close the connection that holds the test's transaction."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.usefixtures("kept_connection")
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/api/v1/orders", "GET"),
        ("/api/v1/orders", "POST"),
        ("/api/v1/orders/sync-position", "GET"),
        ("/api/v1/orders/{order_id}", "GET"),
        ("/api/v1/orders/{order_id}/refundable", "GET"),
        ("/api/v1/refunds", "GET"),
        ("/api/v1/refunds", "POST"),
        ("/api/v1/releases", "POST"),
        ("/api/v1/refunds/bulk", "POST"),
        ("/api/v1/refunds/{refund_id}", "GET"),
        ("/api/v1/refunds/by-key/{key}", "GET"),
    ],
)
def test_every_operation_keeps_its_word(chain: Chain, path: str, method: str, mode: GenerationMode) -> None:
    """Whatever is sent, right or wrong: a documented status, a documented body, and never a failure of ours."""
    api = schemathesis.openapi.from_wsgi("/api/schema/", get_wsgi_application())
    till = Till(chain.systems["OSL"])
    order = chain.sold(chain.bergen, "BER-2026-10042", 100_000)
    statuses: set[int] = set()

    @given(case=api[path][method].as_strategy(generation_mode=mode), is_known=booleans())
    @settings(max_examples=15, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    def holds(case: schemathesis.Case[Any], is_known: bool) -> None:
        if is_known and "order_id" in case.path_parameters:
            case.path_parameters["order_id"] = f"ord_{order.public_id.hex}"
        response = case.call(headers={"Authorization": f"Bearer {till.key}"})
        statuses.add(response.status_code)
        assert response.status_code < 500, response.text
        case.validate_response(
            response, checks=[status_code_conformance, content_type_conformance, response_schema_conformance]
        )

    holds()
    assert statuses
