"""By which limits refunds are judged."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from refunds import telling
from stores.events import TrailEvent


@dataclass(frozen=True, kw_only=True)
class PolicyDrafted(TrailEvent):
    """The first of two people wrote a version of the limits, or wrote it anew. `digest` is of all that it says."""

    name = "policy.drafted"
    sentence = _("Policy {policy} was drafted, to hold from {in_force_from}: {note}")
    policy: int
    in_force_from: str
    note: str
    digest: str

    @classmethod
    def shown(cls, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**facts, "in_force_from": telling.moment_in_words(facts["in_force_from"])}


@dataclass(frozen=True, kw_only=True)
class PolicyDecided(TrailEvent):
    """The second of two people put it into force or rejected it, or its author took it back; with all that it says."""

    name = "policy.decided"
    sentence = _("Policy {policy} of {proposed_by}, to hold from {in_force_from}, was {verdict}. {note}")
    policy: int
    verdict: str
    proposed_by: str
    in_force_from: str
    note: str
    digest: str
    rules: list[dict[str, Any]]
    reasons: list[dict[str, Any]]

    @classmethod
    def shown(cls, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        verdict = telling.choice_in_words("verdict", facts["verdict"], model="PolicyVersion")
        return {**facts, "verdict": verdict, "in_force_from": telling.moment_in_words(facts["in_force_from"])}
