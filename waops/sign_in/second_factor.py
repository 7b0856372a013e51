"""The second factor: a code from an app on the person's phone (TOTP), and backup codes for when it is lost.

Devices, codes and throttling are django-otp's. What is decided here is who needs one and what each step does.
"""

import math
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

import segno
from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone
from django_otp import login as remember_device
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from waops.models import User
from waops.sign_in.history import Kind, record

BACKUP_CODES = 10
ADMINISTRATORS = "administrators"
"""In SECOND_FACTOR_REQUIRED: superusers, who need not be in any group."""
EVERYBODY = "all"

NONE_NEEDED = "second_factor_not_needed"
"""Session key: this person had no device and needed none, so that pages need not ask again."""


class Need(Enum):
    """What somebody who has given the password must do before any page."""

    NOTHING = "nothing"
    CODE = "code"
    SET_UP = "set up"


@dataclass(frozen=True)
class Verdict:
    """On a code: accepted by `device`, refused, or not looked at before `wait` seconds have passed."""

    device: TOTPDevice | StaticDevice | None = None
    wait: int = 0


@receiver(user_logged_in)
def _look_once(request: HttpRequest, user: User, **kwargs: Any) -> None:
    request.session[NONE_NEEDED] = not settings.SECOND_FACTOR_REQUIRED and not has_device(user)


def need_of(request: HttpRequest) -> Need:
    """No query for whoever gave a code, or needs none where SECOND_FACTOR_REQUIRED is empty."""
    user: Any = request.user
    if user.is_verified():
        return Need.NOTHING
    if not settings.SECOND_FACTOR_REQUIRED and request.session.get(NONE_NEEDED):
        return Need.NOTHING
    if has_device(user):
        return Need.CODE
    if is_required_of(user):
        return Need.SET_UP
    if not settings.SECOND_FACTOR_REQUIRED:
        request.session[NONE_NEEDED] = True
    return Need.NOTHING


def has_device(user: User) -> bool:
    return bool(TOTPDevice.objects.filter(user=user, confirmed=True).exists())


def is_required_of(user: User) -> bool:
    """Whether SECOND_FACTOR_REQUIRED names everybody, administrators and this is one, or a group of this person."""
    required = settings.SECOND_FACTOR_REQUIRED
    if EVERYBODY in required or (ADMINISTRATORS in required and user.is_superuser):
        return True
    return bool(required) and user.groups.filter(name__in=required).exists()


def verify(user: User, typed: str) -> Verdict:
    """Check a code of the app or a backup code, and count a wrong one. One at a time for each device."""
    code = plain(typed)
    model: type[TOTPDevice] | type[StaticDevice] = TOTPDevice if code.isdecimal() else StaticDevice
    with transaction.atomic():
        device = model.objects.select_for_update().filter(user=user, confirmed=True).first()
        return _try(device, code)


def give_code(request: HttpRequest, typed: str) -> Verdict:
    """`verify`, recorded; an accepted code opens the pages to this session."""
    user: Any = request.user
    verdict = verify(user, typed)
    if verdict.device is None:
        if not verdict.wait:
            record(Kind.CODE_REFUSED, request, user)
        return verdict
    is_backup = isinstance(verdict.device, StaticDevice)
    record(Kind.BACKUP_CODE_USED if is_backup else Kind.CODE_ACCEPTED, request, user)
    _open(request, verdict.device)
    return verdict


def begin(user: User) -> None:
    """Make a new secret, not yet in use, unless the person has a device already."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        if not has_device(user):
            TOTPDevice.objects.filter(user=user, confirmed=False).delete()
            TOTPDevice.objects.create(user=user, name="app", confirmed=False)


def unconfirmed(user: User) -> TOTPDevice | None:
    """The secret that waits for its first code."""
    return TOTPDevice.objects.filter(user=user, confirmed=False).first()


def confirm(request: HttpRequest, typed: str) -> tuple[Verdict, list[str]]:
    """Take the new secret into use if the code is right; the backup codes, to be shown this once."""
    user: Any = request.user
    with transaction.atomic():
        device = TOTPDevice.objects.select_for_update().filter(user=user, confirmed=False).first()
        verdict = _try(device, plain(typed))
        if not isinstance(verdict.device, TOTPDevice):
            return verdict, []
        verdict.device.confirmed = True
        verdict.device.save(update_fields=["confirmed"])
        codes = make_backup_codes(user)
        record(Kind.FACTOR_SET_UP, request, user)
    _open(request, verdict.device)
    return verdict, codes


def make_backup_codes(user: User) -> list[str]:
    """New ones, as "abcd-efgh"; the old ones are void."""
    with transaction.atomic():
        StaticDevice.objects.filter(user=user).delete()
        device = StaticDevice.objects.create(user=user, name="backup codes")
        tokens = [StaticToken.random_token() for _ in range(BACKUP_CODES)]
        StaticToken.objects.bulk_create(StaticToken(device=device, token=token) for token in tokens)
    return [f"{token[:4]}-{token[4:]}" for token in tokens]


def backup_codes_left(user: User) -> int:
    return int(StaticToken.objects.filter(device__user=user).count())


def remove(person: User, request: HttpRequest | None = None) -> bool:
    """Forget the device and backup codes of `person`; False if there was none. `request`: of whoever does it."""
    with transaction.atomic():
        deleted, _ = TOTPDevice.objects.filter(user=person).delete()
        StaticDevice.objects.filter(user=person).delete()
        if deleted:
            record(Kind.FACTOR_REMOVED, request, person, by=request.user if request else None)
    return bool(deleted)


def qr_code(device: TOTPDevice) -> str:
    """The secret for a phone's camera, as a `data:` address of an SVG. White behind, also in the dark."""
    return str(segno.make(device.config_url, error="m").svg_data_uri(scale=5, border=3, light="#fff", dark="#000"))


def plain(typed: str) -> str:
    """What was meant by "123 456", "ABCD-efgh" or digits of an Arabic keyboard."""
    kept = (character for character in typed.lower() if character.isalnum())
    return "".join(str(unicodedata.digit(character)) if character.isdigit() else character for character in kept)


def _try(device: TOTPDevice | StaticDevice | None, code: str) -> Verdict:
    """Inside a transaction that holds the device's row."""
    if device is None:
        return Verdict()
    allowed, why_not = device.verify_is_allowed()
    if not allowed:
        return Verdict(wait=_seconds_until(why_not["locked_until"]))
    return Verdict(device=device) if device.verify_token(code) else Verdict()


def _seconds_until(moment: datetime) -> int:
    return max(1, math.ceil((moment - timezone.now()).total_seconds()))


def _open(request: HttpRequest, device: TOTPDevice | StaticDevice) -> None:
    """This session has given a code. Its key changes, in case somebody knew the old one."""
    request.session.cycle_key()
    remember_device(request, device)
