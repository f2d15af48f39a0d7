"""How long the desk's pages take; a program of its own, so Django is made ready here."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hq.settings")
django.setup()
