"""Settings, read from the environment and an optional `.env` file; `.env.example` explains every variable."""

from importlib.util import find_spec
from pathlib import Path

from django.utils.translation import gettext_lazy as _

from waops.database.url import database_settings
from waops.serving.cache_url import cache_settings
from waops.serving.environment import Environment, at_least, one_of, server_programs, time_zone
from waops.serving.logs import FORMATS, logging_settings

BASE_DIR = Path(__file__).resolve().parent.parent

env = Environment()
env.read_env(BASE_DIR / ".env")
ENVIRONMENT_PROBLEMS = env.problems

# Development mode is the default only on the embedded database: setting DATABASE_URL ends it.
DATABASE_URL = env.postgres_url("DATABASE_URL")
DEBUG = env.bool("DEBUG", default=not DATABASE_URL)
SECRET_KEY = env.str("SECRET_KEY", default="insecure-development-key" if DEBUG else "")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# Database
APP_SCHEMA = "waops"
SEARCH_PATH = (APP_SCHEMA, "public", "extensions")
DATABASE_POOL_MODE = env.str("DATABASE_POOL_MODE", default="direct")
DATABASE_POOL_SIZE = env("DATABASE_POOL_SIZE", cast=at_least(0), default=10)
DATABASE_POOLER_LIMIT = env("DATABASE_POOLER_LIMIT", cast=at_least(1), default=15)
WEB_CONCURRENCY = env("WEB_CONCURRENCY", cast=at_least(1), default=2)
DATABASE_STATEMENT_TIMEOUT = env("DATABASE_STATEMENT_TIMEOUT", cast=at_least(0.0), default=30.0)
DATABASE_LOCK_TIMEOUT = env("DATABASE_LOCK_TIMEOUT", cast=at_least(0.0), default=5.0)
EMBEDDED_POSTGRES = not DATABASE_URL
EMBEDDED_POSTGRES_DIR = env("EMBEDDED_POSTGRES_DIR", cast=Path, default=None)
EMBEDDED_POSTGRES_VERSION = int(env("EMBEDDED_POSTGRES_VERSION", cast=one_of("16", "18"), default="18"))
EMBEDDED_POSTGRES_BIN = env("EMBEDDED_POSTGRES_BIN", cast=server_programs, default=None)
DATABASES = {
    "default": database_settings(
        DATABASE_URL, pool_mode=DATABASE_POOL_MODE, pool_size=DATABASE_POOL_SIZE, search_path=SEARCH_PATH
    )
}
if DATABASE_REPLICA_URL := env.postgres_url("DATABASE_REPLICA_URL"):
    DATABASES["replica"] = database_settings(
        DATABASE_REPLICA_URL, pool_mode=DATABASE_POOL_MODE, pool_size=DATABASE_POOL_SIZE, search_path=SEARCH_PATH
    )
    # The primary is used instead.
    DATABASES["replica"]["OPTIONS"]["connect_timeout"] = 2
    DATABASES["replica"]["OPTIONS"].get("pool", {})["timeout"] = 2
DATABASE_ROUTERS = ["waops.database.replica.ReplicaRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Caches. `flags` is the same store with a short lifetime: for that long, a process may miss a change to a flag made
# elsewhere.
CACHES = {"default": env("CACHE_URL", cast=cache_settings, default=cache_settings("locmemcache://"))}
CACHES["flags"] = {**CACHES["default"], "KEY_PREFIX": "flags", "TIMEOUT": 10}
WAFFLE_CACHE_NAME = "flags"

# Functions of the message path that must not be called, whatever their flags; `all` means every one.
MESSAGE_PATH_KILL_SWITCH = frozenset(env.list("MESSAGE_PATH_KILL_SWITCH", default=[]))

# Migrations on a live database
MIGRATION_LOCK_TIMEOUT = env("MIGRATION_LOCK_TIMEOUT", cast=at_least(0.1), default=30.0)
MIGRATION_ATTEMPTS = env("MIGRATION_ATTEMPTS", cast=at_least(1), default=5)

# Whether operators may end a session that blocks others, from the connections page
OPERATIONS_ALLOW_TERMINATE = env.bool("OPERATIONS_ALLOW_TERMINATE", default=False)

INSTALLED_APPS = [
    "waops",
    "waops.dev",
    "usage",
    "conversations",
    "escalations",
    "waops.apps.WaopsAdminConfig",
    "waops.apps.StaffConfig",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",
    "waops.apps.LoginsConfig",
    "django_otp",
    "waops.apps.AuthenticatorConfig",
    "waops.apps.BackupCodesConfig",
    "waops.apps.FlagsConfig",
]

MIDDLEWARE = [
    "waops.serving.requests.RequestMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "waops.dbops.probes.ProbeMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "waops.serving.empty_errors.EmptyErrorMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "waops.access.readers.AccessMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
    "waops.database.middleware.DatabaseUnavailableMiddleware",
    "waops.database.replica.ReplicaMiddleware",
]

ROOT_URLCONF = "waops.urls"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# Form widgets also come from `templates/`
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# People
AUTH_USER_MODEL = "waops.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"  # also after a redirect that is refused
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
AXES_CLIENT_IP_CALLABLE = "waops.serving.client_address.client_address"
AXES_LOCKOUT_TEMPLATE = "429.html"
# People who may know what was tried read our own history, which cannot be edited.
AXES_ENABLE_ADMIN = False
AXES_DISABLE_ACCESS_LOG = True
SECOND_FACTOR_REQUIRED = frozenset(env.list("SECOND_FACTOR_REQUIRED", default=[]))
OTP_TOTP_ISSUER = "Waops"

# Languages
LANGUAGE_CODE = env("LANGUAGE_CODE", cast=one_of("en", "ar"), default="en")
LANGUAGES = [("en", _("English")), ("ar", _("Arabic"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "waops.formats"
TIME_ZONE = env("TIME_ZONE", cast=time_zone, default="Africa/Cairo")
USE_I18N = True
USE_TZ = True

# Pages
STATIC_URL = "static/"
STATIC_ROOT = env("STATIC_ROOT", cast=Path, default=BASE_DIR / "staticfiles")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "waops.serving.static.StaticStorage"
    },
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}

# Transport
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=not DEBUG)
SECURE_REDIRECT_EXEMPT = ["^healthz$", "^readyz$"]  # probes come from inside the network, without TLS
SECURE_HSTS_SECONDS = env("SECURE_HSTS_SECONDS", cast=at_least(0), default=0 if DEBUG else 3600)
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("SECURE_HSTS_INCLUDE_SUBDOMAINS", default=False)
SECURE_HSTS_PRELOAD = env.bool("SECURE_HSTS_PRELOAD", default=False)
# Whether HSTS also covers other names of the domain is for its owner to decide.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
BEHIND_TLS_PROXY = env.bool("BEHIND_TLS_PROXY", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_TLS_PROXY else None
TRUSTED_PROXIES = env("TRUSTED_PROXIES", cast=at_least(0), default=0)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = not DEBUG
CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = env("SESSION_COOKIE_AGE", cast=at_least(1), default=12 * 60 * 60)

# Days that the app's own records are kept, by name: see docs/access.md
RETENTION_DAYS = env.dict("RETENTION_DAYS", cast={"value": int}, default={})

# Alerts about quotas
vars().update(env("EMAIL_URL", cast=env.email_url_config, default=env.email_url_config("consolemail://")))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="waops@localhost")
QUOTA_WEBHOOK_URL = env.str("QUOTA_WEBHOOK_URL", default="")
QUOTA_WEBHOOK_SECRET = env.str("QUOTA_WEBHOOK_SECRET", default="")

# The WhatsApp gateway (Evolution API), through which staff reply to customers
EVOLUTION_API_URL = env.str("EVOLUTION_API_URL", default="").rstrip("/")
EVOLUTION_API_KEY = env.str("EVOLUTION_API_KEY", default="")
EVOLUTION_API_TIMEOUT = env("EVOLUTION_API_TIMEOUT", cast=at_least(1.0), default=20.0)
EVOLUTION_IS_DEMO = False  # `runserver` on the embedded database starts one for development

# Logs
LOG_LEVEL = env("LOG_LEVEL", cast=one_of("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"), default="INFO")
LOG_FORMAT = env("LOG_FORMAT", cast=one_of(*FORMATS), default="text" if DEBUG else "json")
LOG_PERSONAL_DATA = env.bool("LOG_PERSONAL_DATA", default=False)
LOGGING = logging_settings(form=LOG_FORMAT, level=LOG_LEVEL, personal_data=LOG_PERSONAL_DATA)

DEBUG_TOOLBAR_WANTED = env.bool("DEBUG_TOOLBAR", default=False)
DEBUG_TOOLBAR = DEBUG and DEBUG_TOOLBAR_WANTED and find_spec("debug_toolbar") is not None
if DEBUG_TOOLBAR:
    INSTALLED_APPS += ["debug_toolbar"]
    MIDDLEWARE.insert(0, "debug_toolbar.middleware.DebugToolbarMiddleware")
    INTERNAL_IPS = ["127.0.0.1", "::1"]
