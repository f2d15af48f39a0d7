"""The web process: granian serves `hq.wsgi:application`."""

import os

from django.core.wsgi import get_wsgi_application

from hq.checks import refuse_unsafe_start

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hq.settings")
os.environ.setdefault("PROCESS", "web")

application = get_wsgi_application()
refuse_unsafe_start("web")
