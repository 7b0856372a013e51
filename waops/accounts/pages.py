"""The page that asks for a code, and the page where people manage their own second factor."""

from base64 import b32encode
from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from waops.accounts import second_factor
from waops.accounts.gate import next_page
from waops.accounts.history import Kind, record
from waops.accounts.second_factor import Need, Verdict


def code_page(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """Ask for the code after the password."""
    if second_factor.need_of(request) is not Need.CODE:
        return redirect(next_page(request))
    error = ""
    if request.method == "POST":
        verdict = second_factor.give_code(request, request.POST.get("code", ""))
        if verdict.device is not None:
            return redirect(next_page(request))
        error = in_words(verdict)
    context = {**site.each_context(request), "title": _("Second factor"), "error": error, "next": next_page(request)}
    return TemplateResponse(request, "waops/accounts/code.html", context, status=_status(error))


def own_page(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """Set up, create new backup codes, remove. The last two ask for a code again, in case someone left the
    screen open.
    """
    if second_factor.need_of(request) is Need.CODE:
        return redirect("admin:second_factor_code")
    error = ""
    codes: list[str] = []
    if request.method == "POST":
        error, codes = _act(request)
        if not error and not codes:
            return redirect("admin:second_factor")
    return TemplateResponse(
        request, "waops/accounts/own.html", _own_context(site, request, error, codes), status=_status(error)
    )


def _act(request: HttpRequest) -> tuple[str, list[str]]:
    """Do what the form asks for. Returns what went wrong, and backup codes to show."""
    user: Any = request.user
    action, code = request.POST.get("action", ""), request.POST.get("code", "")
    if action == "begin":
        second_factor.begin(user)
        return "", []
    if action == "confirm":
        verdict, codes = second_factor.confirm(request, code)
        return ("", codes) if codes else (in_words(verdict), [])
    if action not in ("remove", "new_codes"):
        return _("This form was not recognised. Reload the page and try again."), []
    verdict = second_factor.give_code(request, code)
    if verdict.device is None:
        return in_words(verdict), []
    if action == "remove":
        second_factor.remove(user, request)
        messages.success(request, _("The second factor was removed."))
        return "", []
    record(Kind.BACKUP_CODES_MADE, request, user)
    return "", second_factor.make_backup_codes(user)


def _own_context(site: AdminSite, request: HttpRequest, error: str, codes: list[str]) -> dict[str, Any]:
    user: Any = request.user
    has_device = second_factor.has_device(user)
    waiting = None if has_device else second_factor.unconfirmed(user)
    return {
        **site.each_context(request),
        "title": _("Second factor"),
        "has_device": has_device,
        "required": second_factor.is_required_of(user),
        "codes": codes,
        "codes_left": second_factor.backup_codes_left(user) if has_device and not codes else 0,
        "qr_code": second_factor.qr_code(waiting) if waiting else "",
        "secret": _secret(waiting) if waiting else "",
        "error": error,
    }


def _secret(device: Any) -> str:
    """In groups of four, for typing into the app."""
    text = b32encode(device.bin_key).decode()
    return " ".join(text[i : i + 4] for i in range(0, len(text), 4))


def in_words(verdict: Verdict) -> str:
    if verdict.wait:
        return ngettext(
            "Too many wrong codes. Wait %(seconds)s second, then try again.",
            "Too many wrong codes. Wait %(seconds)s seconds, then try again.",
            verdict.wait,
        ) % {"seconds": verdict.wait}
    return _("This code is wrong or was already used. Wait for the next one and check the clock of your phone.")


def _status(error: str) -> int:
    return 400 if error else 200
