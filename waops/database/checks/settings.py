"""Check settings without using a database."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _

from waops.database.url import POOL_MODES


@register
def environment_is_read(**kwargs: Any) -> list[CheckMessage]:
    return [
        Error(
            _("%(name)s cannot be used: %(problem)s.") % {"name": name, "problem": problem.rstrip(".")},
            hint=_("Set %(name)s in the environment or in .env; .env.example explains it.") % {"name": name},
            id="waops.E012",
        )
        for name, problem in settings.ENVIRONMENT_PROBLEMS.items()
    ]


@register
def debug_toolbar_is_installed(**kwargs: Any) -> list[CheckMessage]:
    if not settings.DEBUG_TOOLBAR_WANTED or settings.DEBUG_TOOLBAR:
        return []
    return [
        Error(
            _("DEBUG_TOOLBAR is on, but the debug toolbar is not installed."),
            hint=_("It needs DEBUG and the development libraries: run make check, or set DEBUG_TOOLBAR=false."),
            id="waops.E013",
        )
    ]


@register
def pool_mode_is_known(**kwargs: Any) -> list[CheckMessage]:
    mode = settings.DATABASE_POOL_MODE
    if mode in POOL_MODES:
        return []
    return [
        Error(
            _("DATABASE_POOL_MODE is “%(mode)s”, which is not a valid mode.") % {"mode": mode},
            hint=_("Use one of: %(modes)s.") % {"modes": ", ".join(POOL_MODES)},
            id="waops.E010",
        )
    ]


@register(deploy=True)
def session_pooler_has_room(**kwargs: Any) -> list[CheckMessage]:
    """Check that a session pooler allows all connections. Beyond its limit it refuses them, and requests fail."""
    wanted = settings.WEB_CONCURRENCY * settings.DATABASE_POOL_SIZE
    if settings.DATABASE_POOL_MODE != "session" or wanted <= settings.DATABASE_POOLER_LIMIT:
        return []
    return [
        Warning(
            _(
                "%(processes)s processes with a pool of %(size)s can open %(wanted)s connections, but the session "
                "pooler allows %(limit)s."
            )
            % {
                "processes": settings.WEB_CONCURRENCY,
                "size": settings.DATABASE_POOL_SIZE,
                "wanted": wanted,
                "limit": settings.DATABASE_POOLER_LIMIT,
            },
            hint=_(
                "Lower WEB_CONCURRENCY or DATABASE_POOL_SIZE, or raise the pooler's limit and set "
                "DATABASE_POOLER_LIMIT to it."
            ),
            id="waops.W012",
        )
    ]


@register
def secret_key_is_set(**kwargs: Any) -> list[CheckMessage]:
    try:
        settings.SECRET_KEY  # noqa: B018 Django raises when it is empty
    except ImproperlyConfigured:
        pass
    else:
        return []
    return [
        Error(
            _("SECRET_KEY is empty."),
            hint=_("Set it to 50 or more random characters and keep it the same on every host."),
            id="waops.E011",
        )
    ]


@register(deploy=True)
def static_files_are_collected(**kwargs: Any) -> list[CheckMessage]:
    """Check that the static files are collected. Without them every page fails, so the web server refuses to start."""
    if settings.DEBUG or (settings.STATIC_ROOT / "staticfiles.json").exists():
        return []
    return [
        Error(
            _("The collected scripts and styles are missing from %(folder)s.") % {"folder": settings.STATIC_ROOT},
            hint=_("Run: manage.py collectstatic --noinput"),
            id="waops.E014",
        )
    ]


@register(deploy=True)
def proxies_are_counted(**kwargs: Any) -> list[CheckMessage]:
    if settings.TRUSTED_PROXIES or not settings.BEHIND_TLS_PROXY:
        return []
    return [
        Warning(
            _("BEHIND_TLS_PROXY is on but TRUSTED_PROXIES is 0: all visitors seem to come from the proxy."),
            hint=_("Set TRUSTED_PROXIES to the number of proxies that add to X-Forwarded-For."),
            id="waops.W010",
        )
    ]
