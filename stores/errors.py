"""Every refusal of the ground: a stable code, an HTTP status for doors, and a sentence somebody can act on."""

from django.utils.functional import Promise


class HubError(Exception):
    """A refusal. `code` is stable and machine-read; `sentence` is for a person and may be lazy (translated late).

    `status` is what an HTTP door answers, `field` names the wrong input where there is one, `facts` are safe details
    for the caller (never secrets, never an MSN of somebody else).
    """

    code = "error"
    status = 400

    def __init__(self, sentence: str | Promise, *, code: str = "", field: str = "", **facts: object) -> None:
        super().__init__(str(sentence))
        self.sentence = sentence
        self.code = code or type(self).code
        self.field = field
        self.facts = facts

    def __str__(self) -> str:
        return str(self.sentence)


class NotFound(HubError):
    """Absent and forbidden look the same from outside."""

    code = "not_found"
    status = 404


class Forbidden(HubError):
    """The asker is known and may not do this at all."""

    code = "forbidden"
    status = 403


class Invalid(HubError):
    """The input is wrong; nothing was written."""

    code = "invalid"
    status = 400


class Conflict(HubError):
    """The input is right but the present state does not allow it."""

    code = "conflict"
    status = 409


class Misconfigured(HubError):
    """Headquarters has something to set before this can work (keys, a unit, a setting)."""

    code = "misconfigured"
    status = 409
