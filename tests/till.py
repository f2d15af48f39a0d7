"""A till that calls the hub over REST: Django's test client with an API key of its own."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.test import Client

from stores import actors, keys
from stores.models import StoreSystem

YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).replace(microsecond=0)


@dataclass
class Till:
    """Calls as `system`; `answer` methods return Django's response."""

    system: StoreSystem
    client: Client = field(default_factory=lambda: Client(raise_request_exception=False))
    key: str = ""

    def __post_init__(self) -> None:
        self.key = keys.issue_key(self.system, by=actors.hub("test")).text

    def get(self, path: str, query: dict[str, Any] | None = None, **headers: str) -> Any:
        return self.client.get(f"/api/v1/{path}", query or {}, headers=self._headers(headers))

    def post(self, path: str, body: Any, *, content_type: str = "application/json", **headers: str) -> Any:
        content = body if isinstance(body, (bytes, str)) else json.dumps(body)
        return self.client.post(f"/api/v1/{path}", content, content_type=content_type, headers=self._headers(headers))

    def sync(self, *rows: dict[str, Any]) -> list[dict[str, Any]]:
        """The results of a sync that was answered."""
        response = self.post("orders", {"orders": list(rows)})
        assert response.status_code == 200, response.content
        results: list[dict[str, Any]] = response.json()["results"]
        return results

    def _headers(self, headers: dict[str, str]) -> dict[str, str]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return {"Authorization": f"Bearer {self.key}", **named}


def row(reference: str, amount_minor: Any = 25_000, **more: Any) -> dict[str, Any]:
    """One order of a sync, paid yesterday."""
    return {
        "reference": reference,
        "amount": {"amount_minor": amount_minor, "currency": "NOK"},
        "paid_at": YESTERDAY.isoformat(),
        **more,
    }


def outcomes(results: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """Each result of a sync as (outcome, code, field)."""
    return [(result["outcome"], result.get("code", ""), result.get("field", "")) for result in results]


def problem(response: Any, status: int, code: str) -> dict[str, Any]:
    """The body of an error, after checking that it has the shape that every error has."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["type"] == f"urn:refund-hub:problem:{code}"
    assert (body["status"], body["code"]) == (status, code)
    assert body["title"]
    assert body["detail"]
    assert body["trace_id"]
    assert body["retryable"] is (status in (429, 500, 503))
    return body
