"""Moving every sealed value to the newest vault key: in batches, resumable, recorded."""

from dataclasses import dataclass

from django.db import transaction

from stores import audit, vault
from stores.actors import Actor
from stores.audit import Subject
from stores.events import SecretsResealed
from stores.models import Company, Secret
from stores.vault import CannotUnseal, Context, Sealed

_BATCH = 200


@dataclass(frozen=True, kw_only=True)
class Resealed:
    """How many values were moved to `vault_key`, and the ids of those that do not open here and stayed as they were."""

    vault_key: str
    count: int
    unreadable: tuple[int, ...]


def reseal(company: Company, *, by: Actor, batch: int = _BATCH) -> Resealed:
    """Reseal what lies under an older key; each batch is one transaction with one entry in headquarters' chain.

    Needs the private keys, old and new. Start it again after a stop: it takes up where it was. Until it has ended, the
    old private key stays in the ring.
    """
    vault_key = vault.newest_key()
    count, last_id = 0, 0
    unreadable: list[int] = []
    while True:
        with transaction.atomic():
            rows = list(
                Secret.objects.select_for_update(of=("self",))
                .exclude(vault_key=vault_key)
                .filter(pk__gt=last_id)
                .order_by("pk")[:batch]
            )
            if not rows:
                return Resealed(vault_key=vault_key, count=count, unreadable=tuple(unreadable))
            last_id = rows[-1].pk
            moved = [row for row in rows if _moved(row)]
            unreadable += [row.pk for row in rows if row not in moved]
            Secret.objects.bulk_update(moved, ["vault_key", "sealed"])
            if moved:
                event = SecretsResealed(count=len(moved), vault_key=vault_key)
                about = Subject(type="vault_key", id=vault_key)
                audit.record(event, by=by, company=company, store=None, about=about)
        count += len(moved)


def _moved(row: Secret) -> bool:
    context = Context(
        environment=row.environment,
        table=row.table,
        row_id=row.row_id,
        subject=row.subject,
        field=row.field,
        version=row.version,
    )
    try:
        secret = vault.unseal(Sealed(vault_key=row.vault_key, data=bytes(row.sealed)), context)
    except CannotUnseal:
        return False
    sealed = vault.seal(secret, context)
    row.vault_key, row.sealed = sealed.vault_key, sealed.data
    return True
