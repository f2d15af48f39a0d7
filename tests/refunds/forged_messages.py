"""Messages that nobody of the hub would send, by seed, in the form in which Redis holds them for Celery."""

import base64
import json
import pickle
import random
import uuid
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OURS = ("refunds.run_refund", "refunds.read_notice", "refunds.deliver")
_NOT_OURS = (
    *("refunds.run", "os.system", "subprocess.call", "refunds.execution.run", "stores.sessions.open_session", "", "x" * 2_000),
    *("celery.map", "celery.starmap", "celery.chunks", "celery.group", "celery.chain", "celery.chord", "celery.accumulate"),
    *("celery.backend_cleanup", "celery.ping", "builtins.eval", "refunds.run_refund\x00", "REFUNDS.RUN_REFUND", "é"),
)
_ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.5, 10**40, "", " ", "\x00", "é" * 50, "x" * 200_000, "../../etc/passwd", "9" * 40),
    *("' OR 1=1 --", [], {}, [[]], {"id": 1}, {"__reduce__": "os.system"}, [None] * 500, "0000-0000"),
)


class _Marker:
    """Unpickled, it leaves a file behind."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self._path,))


@dataclass(frozen=True, kw_only=True)
class Forger:
    """`known` are ids of rows that exist and of which nothing is due; `marker` is what executed code would leave behind."""

    dice: random.Random
    known: Sequence[str]
    marker: Path

    def message(self) -> tuple[str, bytes]:
        """How it was made, and the message."""
        kinds: dict[str, Callable[[], bytes]] = {
            "nobody's id": lambda: self._task(self.dice.choice(OURS), [self._nobodys()]),
            "an id of another kind": lambda: self._task(self.dice.choice(OURS), [self.dice.choice(self.known)]),
            "odd argument": lambda: self._task(self.dice.choice(OURS), [self.dice.choice(_ODD)]),
            "more arguments": self._more_arguments,
            "unknown task": lambda: self._task(self.dice.choice(_NOT_OURS), [self._nobodys()]),
            "built-in task": self._built_in,
            "pickle": self._pickle,
            "yaml": self._yaml,
            "other coding": self._other_coding,
            "odd headers": self._odd_headers,
            "no task at all": self._no_task,
            "steps to follow": self._steps_to_follow,
        }
        kind = self.dice.choice(list(kinds))
        return kind, kinds[kind]()

    def _nobodys(self) -> str:
        return self.dice.choice((str(uuid.UUID(int=self.dice.getrandbits(128))), str(self.dice.randrange(10**6, 10**18))))

    def _task(self, name: str, args: Any, kwargs: Any = None, embed: Any = None, **headers: Any) -> bytes:
        body = json.dumps([args, {} if kwargs is None else kwargs, {} if embed is None else embed])
        return self._envelope(body.encode(), task=name, **headers)

    def _envelope(
        self, body: bytes, *, content_type: str = "application/json", coding: str = "utf-8", **headers: Any
    ) -> bytes:
        message_id = str(uuid.UUID(int=self.dice.getrandbits(128)))
        told = {"lang": "py", "id": message_id, "root_id": message_id, "parent_id": None, "group": None, **headers}
        envelope = {
            "body": base64.b64encode(body).decode(),
            "content-encoding": coding,
            "content-type": content_type,
            "headers": told,
            "properties": {
                "correlation_id": message_id,
                "reply_to": str(uuid.UUID(int=7)),
                "delivery_mode": 2,
                "delivery_info": {"exchange": "", "routing_key": "refunds"},
                "priority": 0,
                "body_encoding": "base64",
                "delivery_tag": message_id,
            },
        }
        return json.dumps(envelope).encode()

    def _more_arguments(self) -> bytes:
        name, one = self.dice.choice(OURS), self.dice.choice(self.known)
        return self.dice.choice(
            (
                self._task(name, []),
                self._task(name, [one, one]),
                self._task(name, [one], {"by": "hub", "force": True}),
                self._task(name, [], {"refund_id": one, "state": "refunded"}),
                self._task(name, one),
                self._task(name, {"refund_id": one}),
                self._task(name, [one], ["no", "mapping"]),
                self._task(name, ["x" * 3_000_000]),
                self._task(name, [[one] * 20_000]),
                self._envelope(b'{"not": "three parts"}', task=name),
                self._envelope(b"[" * 50_000, task=name),
                self._envelope(b"", task=name),
            )
        )

    def _built_in(self) -> bytes:
        """Celery's own tasks run others; those are still ours, with an id that nobody has."""
        signature: dict[str, Any] = {"task": "refunds.run_refund", "args": [], "kwargs": {}, "options": {}}
        ids = [[self._nobodys()] for _ in range(3)]
        name = self.dice.choice(("celery.map", "celery.starmap", "celery.chunks"))
        return self._task(name, [signature, ids] if name != "celery.chunks" else [signature, ids, 2])

    def _pickle(self) -> bytes:
        body = pickle.dumps(([_Marker(self.marker)], {}, {}))
        content_type, coding = self.dice.choice(
            (
                *(("application/x-python-serialize", "binary"), ("application/x-python-serialize", "utf-8")),
                *(("pickle", "binary"), ("application/json", "binary"), ("", "binary"), ("application/data", "binary")),
            )
        )
        return self._envelope(body, content_type=content_type, coding=coding, task=self.dice.choice(OURS))

    def _yaml(self) -> bytes:
        body = f'!!python/object/apply:os.system ["touch {self.marker}"]'.encode()
        return self._envelope(body, content_type="application/x-yaml", task=self.dice.choice(OURS))

    def _other_coding(self) -> bytes:
        body = json.dumps([[self._nobodys()], {}, {}])
        return self.dice.choice(
            (
                self._envelope(body.encode("utf-16"), coding="utf-16", task=OURS[0]),
                self._envelope(b"\xff\xfe\x00", task=OURS[0]),
                self._envelope(body.encode(), coding="no-such-coding", task=OURS[0]),
                self._envelope(zlib.compress(b"0" * 20_000_000), task=OURS[0], compression="application/x-gzip"),
                self._envelope(b"no compression", task=OURS[0], compression="application/x-gzip"),
                self._envelope(body.encode(), task=OURS[0], compression="no-such-compression"),
                self._envelope(body.encode(), content_type="application/x-msgpack", coding="binary", task=OURS[0]),
            )
        )

    def _odd_headers(self) -> bytes:
        names = ("eta", "expires", "retries", "timelimit", "id", "root_id", "argsrepr", "origin", "shadow", "lang")
        name = self.dice.choice(names)
        return self._task(self.dice.choice(OURS), [self._nobodys()], **{name: self.dice.choice(_ODD)})

    def _no_task(self) -> bytes:
        return self.dice.choice(
            (
                self._envelope(b"{}"),
                self._envelope(b'{"task": "refunds.run_refund", "id": "1", "args": [1], "kwargs": {}}'),
                self._envelope(b'{"method": "shutdown", "arguments": {}}'),
                self._envelope(b"\x80\x04."),
                self._envelope(b"[]", task=None),
                self._envelope(b"[]", task={"refunds.run_refund": 1}),
            )
        )

    def _steps_to_follow(self) -> bytes:
        """What is to happen afterwards is a message again, of the same kinds."""
        step: dict[str, Any] = {"task": "refunds.run_refund", "args": [self._nobodys()], "kwargs": {}, "options": {}}
        after = {name: [step] for name in ("callbacks", "errbacks", "chain")}
        return self._task(OURS[0], [self._nobodys()], None, self.dice.choice((after, {"chord": step}, {"callbacks": 7}, [])))
