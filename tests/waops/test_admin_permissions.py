"""Who may see what: the permissions that migrations give to groups, and pages that show no one more."""

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.test import Client

from tests import factories, wording
from waops.access.permissions import MANAGERS, OPERATORS, SUPPORT, grant, revoke

pytestmark = pytest.mark.django_db

VISIBLE = {
    SUPPORT: {
        "escalations.escalation",
        "conversations.whatsappinstance",
        "conversations.conversation",
        "conversations.message",
        "conversations.aiinteraction",
        "conversations.aipersonality",
        "conversations.customerprofile",
    },
    MANAGERS: {
        "escalations.escalation",
        "usage.profile",
        "conversations.whatsappinstance",
        "conversations.conversation",
        "conversations.aiinteraction",
        "conversations.aiconfig",
    },
    OPERATORS: {
        "escalations.escalation",
        "usage.profile",
        "conversations.whatsappinstance",
        "conversations.conversation",
        "conversations.message",
        "conversations.aiinteraction",
        "conversations.aiconfig",
        "conversations.aipersonality",
        "conversations.customerprofile",
        "conversations.supportteamnumber",
        "waops.installedobject",
        "waops.archivedrow",
    },
}
PAGES = sorted(set.union(*VISIBLE.values()) | {"waops.user", "auth.group"})


def log_in(client: Client, group: str) -> None:
    client.force_login(factories.staff(group), "django.contrib.auth.backends.ModelBackend")


@pytest.mark.parametrize("group", VISIBLE)
def test_each_group_opens_its_pages_and_no_other(client: Client, group: str) -> None:
    log_in(client, group)
    home = client.get("/").content.decode()
    for page in PAGES:
        address = f"/{page.replace('.', '/')}/"
        seen = page in VISIBLE[group]
        assert client.get(address).status_code == (200 if seen else 403), address
        assert (f'href="{address}"' in home) is seen, address


def test_a_manager_reads_no_messages_of_customers(client: Client) -> None:
    log_in(client, MANAGERS)
    chat = factories.conversation()
    factories.message(chat, "private words")
    page = client.get(f"/conversations/conversation/{chat.pk}/change/").content.decode()
    assert "private words" not in page
    assert wording.MESSAGES_AS_A_LIST not in page


def test_names_are_links_only_for_people_who_may_open_them(client: Client) -> None:
    chat = factories.conversation()
    address = f"/conversations/whatsappinstance/{chat.instance_id}/change/"
    business = f'href="/usage/profile/{chat.instance.business_id}/change/"'
    log_in(client, SUPPORT)
    page = client.get(address).content.decode()
    assert str(chat.instance.business) in page
    assert business not in page
    log_in(client, MANAGERS)
    assert business in client.get(address).content.decode()


def test_rows_made_by_grant_are_the_ones_django_makes() -> None:
    before = set(Permission.objects.values_list("content_type__app_label", "codename", "name"))
    Permission.objects.filter(content_type__app_label="conversations").delete()
    ContentType.objects.filter(app_label="conversations").delete()
    ContentType.objects.clear_cache()
    grant(apps, "Tried", ["conversations.view_message", "conversations.view_aiconfig"])
    ContentType.objects.clear_cache()
    call_command("migrate", verbosity=0)
    assert set(Permission.objects.values_list("content_type__app_label", "codename", "name")) == before


def test_revoking_removes_a_group_without_members_only() -> None:
    grant(apps, "Tried", ["usage.view_profile"])
    revoke(apps, "Tried", ["usage.view_profile"])
    assert not Group.objects.filter(name="Tried").exists()
    grant(apps, "Tried", ["usage.view_profile"])
    factories.staff("Tried")
    revoke(apps, "Tried", ["usage.view_profile"])
    assert Group.objects.get(name="Tried").permissions.count() == 0
    revoke(apps, "Unknown", ["usage.view_profile"])
