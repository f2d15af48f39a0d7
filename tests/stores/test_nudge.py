"""The nudge: one message with one id, and a broker that is away costs the caller nothing."""

import logging
from typing import Any

import pytest
from celery import current_app
from kombu.exceptions import OperationalError
from redis.exceptions import ConnectionError as RedisConnectionError

from stores import nudge


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    messages: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(current_app, "send_task", lambda task, **options: messages.append((task, options)))
    return messages


def test_a_message_carries_the_id_and_nothing_else(sent: list[tuple[str, dict[str, Any]]]) -> None:
    assert nudge.publish("refunds.run_refund", "r-1") is True
    assert sent == [("refunds.run_refund", {"args": ["r-1"], "retry": False, "ignore_result": True})]


@pytest.mark.parametrize("error", [OperationalError("away"), RedisConnectionError("away"), ConnectionRefusedError()])
def test_a_broker_that_is_away_is_logged_and_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    def fail(task: str, **options: Any) -> None:
        raise error

    monkeypatch.setattr(current_app, "send_task", fail)
    with caplog.at_level(logging.WARNING, logger="stores.nudge"):
        assert nudge.publish("refunds.run_refund", "r-1") is False
    assert "task=refunds.run_refund row=r-1" in caplog.text


def test_a_mistake_of_ours_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(task: str, **options: Any) -> None:
        raise TypeError

    monkeypatch.setattr(current_app, "send_task", fail)
    with pytest.raises(TypeError):
        nudge.publish("refunds.run_refund", "r-1")
