"""A client over answers from a script, and what it sent: for the APIs' tests."""

import json
from typing import Any

from stores.vipps.errors import VippsError
from stores.vipps.exchange import Request, Response
from stores.vipps.session import VippsSession
from stores.vipps.tokens import TokenCache
from stores.vipps.transport import Transport
from stores.vipps.types import AccountingCredentials
from tests.stores.vipps.world import BERGEN, SYSTEM, TRONDHEIM, Recorder, World


class Recorded(Recorder):
    """The last call that was not for a token, and its body."""

    @property
    def call(self) -> Request:
        return [request for request in self.requests if request.operation != "token"][-1]

    @property
    def body(self) -> Any:
        return json.loads(self.call.body or b"null")


def unit(world: World, *answers: Response | VippsError, msn: str = BERGEN) -> tuple[VippsSession, Recorded]:
    """A session that speaks for one unit; Trondheim's with its partner's keys."""
    recorder = Recorded(answers=list(answers))
    keys = world.keys["chain"] if msn == TRONDHEIM else None
    return world.session(msn, keys=keys, transport=recorder), recorder


def partner(world: World, *answers: Response | VippsError) -> tuple[VippsSession, Recorded]:
    """A session with partner keys that speaks for no unit in particular."""
    recorder = Recorded(answers=list(answers))
    keys = world.keys["chain"]
    credentials = world.session(TRONDHEIM, keys=keys, transport=recorder)._credentials
    return _session(None, credentials, recorder), recorder


def accountant(*answers: Response | VippsError) -> tuple[VippsSession, Recorded]:
    """A session with accounting keys."""
    recorder = Recorded(answers=list(answers))
    keys = AccountingCredentials(client_id="canary-id", client_secret="canary-secret")
    return _session(None, keys, recorder), recorder


def _session(msn: str | None, credentials: Any, transport: Transport) -> VippsSession:
    return VippsSession(
        base_url="http://127.0.0.1:8181",
        msn=msn,
        credentials=credentials,
        cache_key="recorded/test",
        transport=transport,
        tokens=TokenCache(),
        system=SYSTEM,
    )
