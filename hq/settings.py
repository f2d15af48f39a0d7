"""Every setting of the hub, read from the environment: NAME, or NAME_FILE for a file that holds the value.

Nothing here starts a process, opens a connection or reads a private key that the process was not given.
"""

from pathlib import Path
from typing import Any

import environ
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from hq.embedded.places import places_of
from hq.logs import logging_settings

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.FileAwareEnv()


def text(name: str) -> str:
    """The setting without white space around it: a file made by hand ends in a line break."""
    value: str = env.str(name, default="")
    return value.strip()


VERSION = "0.1.0"
VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var")))
DEBUG = env.bool("DEBUG", default=False)
DEMO = env.bool("DEMO", default=False)
PROCESS = env.str("PROCESS", default="command")
"""Which process this is: web, worker, sweep, beat or command; the checks at start go by it."""

# ---- keys: nothing is derived from SECRET_KEY, and a process is given only the keys it may use ----
SECRET_KEY = text("SECRET_KEY")
VAULT_PUBLIC_KEYS = text("VAULT_PUBLIC_KEYS")
VAULT_PRIVATE_KEYS = text("VAULT_PRIVATE_KEYS")
WEB_SEAL_KEY = text("WEB_SEAL_KEY")
FINGERPRINT_KEY = text("FINGERPRINT_KEY")

# ---- the web ----
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]", "testserver"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
HTTPS_ONLY = env.bool("HTTPS_ONLY", default=not (DEBUG or DEMO))
SECURE_SSL_REDIRECT = HTTPS_ONLY
SECURE_REDIRECT_EXEMPT = [r"^health/"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS_ONLY else 0
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
NUM_PROXIES = env.int("NUM_PROXIES", default=1 if BEHIND_PROXY else 0)
"""How many proxies of ours stand in front: without it every visitor would have the proxy's address, and one who guesses
passwords would shut the door for a whole shop."""
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS_ONLY
SESSION_COOKIE_AGE = 12 * 3600
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DEFAULT_EXCEPTION_REPORTER_FILTER = "hq.logs.SecretsFilter"

ROOT_URLCONF = "hq.urls"
WSGI_APPLICATION = "hq.wsgi.application"

INSTALLED_APPS = [
    "hq",
    "refunds",
    "stores",
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.import_export",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django_htmx",
    "django_structlog",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "import_export",
    "pgtrigger",
    "rest_framework",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "hq.languages.speak_her_language",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "refunds.desk.till.LockedTills",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "refunds.desk.context.about_the_hub",
            ]
        },
    }
]

# Strict everywhere; the admin's looser policy is set by its own views, because Unfold needs inline code.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

# ---- the database: PostgreSQL, embedded unless DATABASE_URL names a server ----
DATABASE_URL = text("DATABASE_URL") or places_of(BASE_DIR, var=VAR_DIR).url
SEARCH_DATABASE_URL = text("SEARCH_DATABASE_URL")
"""A read replica for what search looks through; unset: the database itself. Nothing that decides money reads it."""
_PREPARES = env.bool("PREPARED_STATEMENTS", default=True)


def database(url: str, *, options: str = "", **others: Any) -> dict[str, Any]:
    """Django's settings of one database, with the hub's time limits."""
    limits = "-c lock_timeout=3s -c statement_timeout=10s -c idle_in_transaction_session_timeout=10s"
    manners = "-c default_transaction_isolation=read\\ committed -c synchronous_commit=on -c jit=off"
    # Whatever is prepared is bounded by itself, and planning it anew for each value would take longer than its run.
    plans = "-c plan_cache_mode=force_generic_plan"
    settings: dict[str, Any] = env.db_url_config(url)
    settings.update(CONN_MAX_AGE=600, CONN_HEALTH_CHECKS=True)
    told = {"options": f"{limits} {manners} {plans} {options}".strip(), "prepare_threshold": 5 if _PREPARES else None}
    settings.setdefault("OPTIONS", {}).update(told | others)
    return settings


DATABASES: dict[str, dict[str, Any]] = {"default": database(DATABASE_URL)}
if SEARCH_DATABASE_URL:
    DATABASES["search"] = database(SEARCH_DATABASE_URL, options="-c default_transaction_read_only=on", connect_timeout=2)
    DATABASES["search"]["TEST"] = {"MIRROR": "default"}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "stores.User"
SESSION_ENGINE = "django.contrib.sessions.backends.db"

# ---- cache: limits only, never an authorisation decision ----
REDIS_URL = text("REDIS_URL")
REDIS_CACHE_URL = text("REDIS_CACHE_URL")
CACHES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_CACHE_URL}
    if REDIS_CACHE_URL
    else {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"}
}

# ---- Celery: a doorbell; the settings are explained in hq.celery ----
BROKER_FOLDER = VAR_DIR / "broker"

# ---- Vipps MobilePay (hosts: Vipps' servers page) ----
VIPPS_BASE_URLS = {
    "production": env.str("VIPPS_BASE_URL_PRODUCTION", default="https://api.vipps.no"),
    "test": env.str("VIPPS_BASE_URL_TEST", default="https://apitest.vipps.no"),
    "simulator": env.str("VIPPS_BASE_URL_SIMULATOR", default="http://127.0.0.1:8181"),
}
VIPPS_PLAIN_HTTP_HOSTS = env.list("VIPPS_PLAIN_HTTP_HOSTS", default=[])
"""Hosts beside this machine that may be spoken to without TLS: a simulator next door, never Vipps."""
PUBLIC_URL = text("PUBLIC_URL").rstrip("/")
"""The hub's own https address as Vipps reaches it. While it is empty the hub registers nothing at Vipps."""
FOLLOW_LINK_DAYS = env.int("FOLLOW_LINK_DAYS", default=30)
"""How long after a refund's end the customer's link still shows it."""
FOLLOW_LOOKS_PER_MINUTE = env.int("FOLLOW_LOOKS_PER_MINUTE", default=60)
"""Of one address; a shop's whole wireless network may be one."""
WEBHOOKS_RENEWED_AFTER_DAYS = env.int("WEBHOOKS_RENEWED_AFTER_DAYS", default=180)
LOOK_UPS_PER_MINUTE = env.int("LOOK_UPS_PER_MINUTE", default=60)
VIPPS_QUESTIONS_PER_MINUTE = env.int("VIPPS_QUESTIONS_PER_MINUTE", default=5)
"""Of one person or store system: a question asks Vipps for every store that could have sold."""
VIPPS_QUESTIONS_PER_MINUTE_IN_ALL = env.int("VIPPS_QUESTIONS_PER_MINUTE_IN_ALL", default=60)
"""Of the whole chain together."""
APPROVAL_ABOVE_MINOR: dict[str, int] = {
    currency: int(limit) for currency, limit in env.dict("APPROVAL_ABOVE_MINOR", default={}).items()
}
"""Refunds above this amount (minor units, by currency, "NOK=500000,EUR=50000") wait for a manager or HQ approver."""

# ---- sign-in: one flow for desk and admin ----
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ALLAUTH_TRUSTED_PROXY_COUNT = NUM_PROXIES
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_ADAPTER = "hq.sign_in.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_REAUTHENTICATION_REQUIRED = True
"""Who only found a session open, or opened it with a PIN, gives the account no address to reset its password by."""
MFA_ADAPTER = "hq.sign_in.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = DEMO

DESK_LOCKS_AFTER_SECONDS = env.int("DESK_LOCKS_AFTER_SECONDS", default=300)
"""How long a till may be left alone before it asks for a PIN."""

# ---- REST ----
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["stores.api.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["stores.api.permissions.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "stores.api.problems.problem_handler",
    "UNAUTHENTICATED_USER": None,
    "NUM_PROXIES": NUM_PROXIES,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Refund Hub",
    "DESCRIPTION": "Sync orders and refund them across the stores of a chain. Amounts are integers in minor units.",
    "VERSION": VERSION,
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
}

# ---- languages, time, static files ----
LANGUAGE_CODE = "en"
LANGUAGES = [
    ("en", _("English")),
    ("nb", _("Norwegian bokmål")),
    ("da", _("Danish")),
    ("sv", _("Swedish")),
    ("fi", _("Finnish")),
]
"""All of them at the desk and for customers; headquarters' own pages speak English and bokmål."""
LOCALE_PATHS = [BASE_DIR / "hq" / "locale"]
FORMAT_MODULE_PATH = "hq.formats"
USE_I18N = USE_TZ = True
TIME_ZONE = env.str("TIME_ZONE", default="Europe/Oslo")
STATIC_URL = "static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(VAR_DIR / "static")))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = not STATIC_ROOT.exists()

DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False  # hq.visitors does it
LOGGING = logging_settings(debug=DEBUG, as_json=env.bool("LOG_JSON", default=not (DEBUG or DEMO)))

# ---- headquarters' admin ----
UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Refund Hub",
    "SITE_HEADER": "Refund Hub",
    "SITE_SUBHEADER": _("Headquarters"),
    "SITE_SYMBOL": "currency_exchange",
    "SITE_URL": None,
    "STYLES": ["hq.admin.navigation.style_sheet"],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_LANGUAGES": True,
    "LANGUAGES": {"navigation": "hq.admin.navigation.languages"},
    "DASHBOARD_CALLBACK": "hq.dashboard.first_screen",
    "ENVIRONMENT": "hq.admin.navigation.environment" if DEMO else None,
    "ACCOUNT": {"navigation": "hq.admin.navigation.account_links"},
    "SIDEBAR": {"show_search": False, "show_all_applications": False, "navigation": "hq.admin.navigation.sidebar"},
}
