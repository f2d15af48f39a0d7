"""From a scan to "refunded"; a program of its own, so Django is made ready here."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hq.settings")
django.setup()
