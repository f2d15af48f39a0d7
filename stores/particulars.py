"""What a receipt has to say of the company and the store: registered name, organisation number, address."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model

from stores import audit
from stores.actors import Actor
from stores.audit import Subject
from stores.errors import Invalid
from stores.events import CompanyDescribed, StoreDescribed
from stores.models import Company, Store


def describe_store(store: Store, *, address: str, legal_name: str, organisation_number: str, by: Actor) -> Store:
    """Set what the store's receipts say; the last two only where the store is a company of its own, else empty.

    Raises Invalid, naming the field.
    """
    told = {"address": address.strip(), "legal_name": legal_name.strip(), "organisation_number": organisation_number.strip()}
    with transaction.atomic():
        locked = Store.objects.select_for_update(of=("self",), no_key=True).select_related("company").get(pk=store.pk)
        _save(locked, told)
        seller, number = locked.seller
        audit.record(
            StoreDescribed(code=locked.code, seller=seller, organisation_number=number or "—", address=locked.address or "—"),
            by=by,
            company=locked.company,
            store=locked,
            about=Subject(type="store", id=str(locked.public_id)),
        )
    store.refresh_from_db()
    return store


def describe_company(company: Company, *, organisation_number: str, by: Actor) -> Company:
    """Set the organisation number of the company that keeps the stores. Raises Invalid, naming the field."""
    with transaction.atomic():
        locked = Company.objects.select_for_update(no_key=True).get(pk=company.pk)
        _save(locked, {"organisation_number": organisation_number.strip()})
        audit.record(
            CompanyDescribed(company=locked.name, organisation_number=locked.organisation_number or "—"),
            by=by,
            company=locked,
            store=None,
            about=Subject(type="company", id=str(locked.pk)),
        )
    company.refresh_from_db()
    return company


def _save(row: Model, told: dict[str, str]) -> None:
    for name, value in told.items():
        setattr(row, name, value)
    try:
        row.clean_fields(exclude={field.name for field in row._meta.fields} - set(told))
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise Invalid(messages[0], field=field) from None
    row.save(update_fields=list(told))
