"""What every page's template knows beside its own facts."""

from django.conf import settings
from django.http import HttpRequest


def about_the_hub(request: HttpRequest) -> dict[str, bool]:
    """A demonstration says so on every page."""
    return {"is_demo": settings.DEMO}
