"""How long a search takes among very many orders; a program of its own, so its environment and Django are made ready here."""

import os

import django

from tests import environment

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hq.settings")
environment.end_with_this_process()
django.setup()
