"""The second factor: a code from a phone app (TOTP), and backup codes in case the phone is lost.

django-otp provides devices, codes and throttling. This module decides who needs one and what each step does.
"""

import math
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

import segno
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django_otp import login as remember_device
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from waops.access.people import User
from waops.accounts.history import Kind, record

BACKUP_CODES = 10
ADMINISTRATORS = "administrators"
"""In SECOND_FACTOR_REQUIRED: superusers, who may be in no group."""
EVERYBODY = "all"


class Need(Enum):
    """What a person must do after the password and before any page."""

    NOTHING = "nothing"
    CODE = "code"
    SET_UP = "set up"


@dataclass(frozen=True)
class Verdict:
    """The result for a code: accepted by `device`, refused, or not checked until `wait` seconds have passed."""

    device: TOTPDevice | StaticDevice | None = None
    wait: int = 0


def need_of(request: HttpRequest) -> Need:
    """What this person must still do before any page. No query if SECOND_FACTOR_REQUIRED is empty.

    A device set up in another session applies to this one from the next request.
    """
    user: Any = request.user
    if user.is_verified():
        return Need.NOTHING
    if user.owns_device:
        return Need.CODE
    return Need.SET_UP if is_required_of(user) else Need.NOTHING


def has_device(user: User) -> bool:
    return bool(TOTPDevice.objects.filter(user=user, confirmed=True).exists())


def is_required_of(user: User) -> bool:
    """Whether SECOND_FACTOR_REQUIRED names everyone, administrators (and this is one), or one of this
    person's groups.
    """
    required = settings.SECOND_FACTOR_REQUIRED
    if EVERYBODY in required or (ADMINISTRATORS in required and user.is_superuser):
        return True
    return bool(required) and user.groups.filter(name__in=required).exists()


def verify(user: User, typed: str) -> Verdict:
    """Check a code from the app or a backup code, and count wrong ones. One check at a time per device."""
    code = plain(typed)
    model: type[TOTPDevice] | type[StaticDevice] = TOTPDevice if code.isdecimal() else StaticDevice
    with transaction.atomic():
        device = model.objects.select_for_update().filter(user=user, confirmed=True).first()
        return _try(device, code)


def give_code(request: HttpRequest, typed: str) -> Verdict:
    """Verify a code and record the result; an accepted code gives this session access to the pages."""
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
    """Create a new secret, not yet in use, unless the person already has a device."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        if not has_device(user):
            TOTPDevice.objects.filter(user=user, confirmed=False).delete()
            TOTPDevice.objects.create(user=user, name="app", confirmed=False)


def unconfirmed(user: User) -> TOTPDevice | None:
    """The secret that still needs its first code."""
    return TOTPDevice.objects.filter(user=user, confirmed=False).first()


def confirm(request: HttpRequest, typed: str) -> tuple[Verdict, list[str]]:
    """Activate the new secret if the code is right. Returns the backup codes, to be shown once."""
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
    """Create new codes such as "abcd-efgh"; the old ones no longer work."""
    with transaction.atomic():
        StaticDevice.objects.filter(user=user).delete()
        device = StaticDevice.objects.create(user=user, name="backup codes")
        tokens = [StaticToken.random_token() for _ in range(BACKUP_CODES)]
        StaticToken.objects.bulk_create(StaticToken(device=device, token=token) for token in tokens)
    return [f"{token[:4]}-{token[4:]}" for token in tokens]


def backup_codes_left(user: User) -> int:
    return int(StaticToken.objects.filter(device__user=user).count())


def remove(person: User, request: HttpRequest | None = None) -> bool:
    """Delete the device and backup codes of `person`; False if there were none. `request` is that of the
    person who does it.
    """
    with transaction.atomic():
        deleted, _ = TOTPDevice.objects.filter(user=person).delete()
        StaticDevice.objects.filter(user=person).delete()
        if deleted:
            record(Kind.FACTOR_REMOVED, request, person, by=request.user if request else None)
    return bool(deleted)


def qr_code(device: TOTPDevice) -> str:
    """The secret for a phone's camera, as a `data:` address of an SVG. The background is white in dark mode too."""
    return str(segno.make(device.config_url, error="m").svg_data_uri(scale=5, border=3, light="#fff", dark="#000"))


def plain(typed: str) -> str:
    """Normalise a code typed as "123 456", "ABCD-efgh" or with Arabic digits."""
    kept = (character for character in typed.lower() if character.isalnum())
    return "".join(str(unicodedata.digit(character)) if character.isdigit() else character for character in kept)


def _try(device: TOTPDevice | StaticDevice | None, code: str) -> Verdict:
    """Call it inside a transaction that has locked the device's row."""
    if device is None:
        return Verdict()
    allowed, why_not = device.verify_is_allowed()
    if not allowed:
        return Verdict(wait=_seconds_until(why_not["locked_until"]))
    return Verdict(device=device) if device.verify_token(code) else Verdict()


def _seconds_until(moment: datetime) -> int:
    return max(1, math.ceil((moment - timezone.now()).total_seconds()))


def _open(request: HttpRequest, device: TOTPDevice | StaticDevice) -> None:
    """Give this session access. Its key changes, in case someone knew the old one."""
    request.session.cycle_key()
    remember_device(request, device)
