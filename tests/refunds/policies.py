"""How the tests' headquarters changes the limits: Hanne drafts, Finn puts into force."""

from datetime import datetime, timedelta
from typing import Any

from refunds import policies, rulebooks
from refunds.models import PolicyVersion, Reason
from refunds.policies import Content
from refunds.rulebooks import ReasonChoice
from refunds.rules import Rule
from stores import access, clock
from stores.models import Role, User
from tests.conftest import Chain
from tests.refunds.reviewing import at_hq

WORDS = {"en": "Returned", "nb": "Returnert", "da": "Returneret", "sv": "Returnerad", "fi": "Palautettu"}
REASONS = (
    *(ReasonChoice(code=reason.value, labels=WORDS, needs_words=reason == Reason.OTHER) for reason in Reason),
)


def content(*rules: Rule, **more: Any) -> Content:
    """What a version says, from now, with the built-in reasons."""
    said: dict[str, Any] = {"note": "New limits", "in_force_from": clock.db_now(), "reasons": REASONS, **more}
    return Content(rules=rules, **said)


def drafted(chain: Chain, *rules: Rule, by: User | None = None, **more: Any) -> PolicyVersion:
    author = by or chain.hanne
    return policies.draft(chain.company, content(*rules, **more), asker=author, by=access.actor_for(author))


def finn(chain: Chain) -> User:
    """He is at headquarters' finance, and nothing else."""
    return User.objects.filter(username="finn").first() or at_hq(chain, "finn", Role.FINANCE)


def in_force(chain: Chain, *rules: Rule, **more: Any) -> PolicyVersion:
    """A version that two people have put into force."""
    version = drafted(chain, *rules, **more)
    return confirmed(chain, version)


def confirmed(chain: Chain, version: PolicyVersion) -> PolicyVersion:
    other = finn(chain)
    digest = policies.digest_of(version)
    return policies.put_into_force(version.pk, digest=digest, asker=other, by=access.actor_for(other))


def rules_now(chain: Chain, *, at: datetime | None = None, later: timedelta = timedelta()) -> tuple[Rule, ...]:
    return rulebooks.in_force(chain.company.pk, now=(at or clock.db_now()) + later).rules
