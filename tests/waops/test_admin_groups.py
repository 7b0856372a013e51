"""A group's permissions are named in the reader's language."""

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from tests import wording
from waops.models import User

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", (f"Escalations: {wording.MAY_RESOLVE['en']}", "Staff: Can view group")),
        ("ar", (f"التصعيدات: {wording.MAY_RESOLVE['ar']}", "فريق العمل: يمكنه رؤية مجموعة")),
    ],
)
def test_permissions_are_named(language: str, words: tuple[str, ...]) -> None:
    administrator = User.objects.create_superuser("administrator")
    client = Client()
    client.force_login(administrator)
    client.cookies["django_language"] = language
    page = client.get(reverse("admin:auth_group_change", args=[Group.objects.get(name="Support").pk])).content.decode()
    for permission in words:
        assert escape(permission) in page
