"""Things that go wrong, by seed: each module is a program of its own, so Django is made ready here."""

import os

import django

from tests import environment

environment.end_with_this_process()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hq.settings")
django.setup()
