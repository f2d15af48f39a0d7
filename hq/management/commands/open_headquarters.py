"""The first step of a new hub: the chain, and the first person at its headquarters."""

import getpass
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from stores import people
from stores.actors import hub
from stores.models import Company, Role, User

_FIRST_ROLES = (Role.OPERATOR, Role.SECURITY)


class Command(BaseCommand):
    """`manage.py open_headquarters "Nordlys AS" hanne`: asks for a password; the rest is done in the admin."""

    help = "Create the chain and the first person at its headquarters (operator and security)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("company", help="the chain's name")
        parser.add_argument("username", help="what the first person signs in as")

    def handle(self, *args: Any, company: str, username: str, **options: Any) -> None:
        if Company.objects.exists():
            raise CommandError("Headquarters is already open: further people are added in the admin.")
        if User.objects.filter(username=username).exists():
            raise CommandError(f"Somebody is already called {username}.")
        user = User(username=username)
        password = getpass.getpass("Password: ")
        try:
            validate_password(password, user)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        user.set_password(password)
        with transaction.atomic():
            user.save()
            chain = Company.objects.create(name=company)
            for role in _FIRST_ROLES:
                people.join_headquarters(user, chain, role=role, by=hub("open_headquarters"))
        self.stdout.write(f"{username} can sign in at /hq/ and should add a second factor first.")
