"""The demo's limits: above them a manager has to allow a refund, far above them headquarters; two people decided so."""

from hq.demo.cast import COMPANY
from refunds import policies, rulebooks
from refunds.models import Measure, PolicyVersion, Tier
from refunds.policies import Content
from refunds.rules import Rule
from stores import access, clock
from stores.models import Company, User

ABOVE_MINOR = {"NOK": 250_000, "DKK": 250_000, "EUR": 25_000}
_HEADQUARTERS_FROM = 4  # times as much


def set_limits(*, author: str, other: str) -> None:
    """Draft and put into force, once: what somebody decides later in the admin stays."""
    company = Company.objects.get(name=COMPANY)
    if PolicyVersion.objects.filter(company=company).exists():
        return
    drafts, confirms = (User.objects.get(username=name) for name in (author, other))
    content = Content(
        note="The demo's limits", in_force_from=clock.db_now(), rules=_rules(), reasons=rulebooks.of_version(None).reasons
    )
    version = policies.draft(company, content, asker=drafts, by=access.actor_for(drafts))
    policies.put_into_force(version.pk, digest=policies.digest_of(version), asker=confirms, by=access.actor_for(confirms))


def _rules() -> tuple[Rule, ...]:
    return tuple(
        Rule(measure=Measure.REFUND, above_minor=above * times, currency=currency, allowed_by=tier)
        for currency, above in ABOVE_MINOR.items()
        for times, tier in ((1, Tier.STORE), (_HEADQUARTERS_FROM, Tier.HEADQUARTERS))
    )
