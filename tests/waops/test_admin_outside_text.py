"""Text from outside is escaped, keeps its direction to itself, and cannot break a page."""

import pytest
from django.template import Context, Template
from django.test import Client

from tests import factories

HOSTILE = '<script>alert(1)</script> "quoted" \u202eevil\u202c & سلام'


def render(source: str, **context: object) -> str:
    return Template("{% load waops %}" + source).render(Context(context))


def test_text_is_escaped_and_isolated() -> None:
    shown = render("{{ text|outside_text }}", text=HOSTILE)
    assert shown.startswith('<bdi class="outside">&lt;script&gt;')
    assert "<script" not in shown


def test_a_cut_text_is_one_line() -> None:
    assert render("{{ text|outside_text:10 }}", text="one\ntwo\n" + "x" * 1_000_000).count("x") < 10


def test_a_block_keeps_its_lines() -> None:
    assert 'dir="auto">a\nb</div>' in render("{{ text|outside_block }}", text="a\nb")


def test_a_phone_is_left_to_right_and_keeps_its_digits() -> None:
    shown = render("{{ number|phone }}", number="201012345678")
    assert shown.startswith('<bdi dir="ltr" class="phone" data-number="201012345678">+20')


def test_json_is_readable_in_arabic() -> None:
    assert "سلام" in render("{{ value|json_block }}", value={"a": "سلام", "b": "</pre>"})
    assert "</pre>&" not in render("{{ value|json_block }}", value={"b": "</pre>&"})


@pytest.mark.django_db
def test_pages_show_hostile_content_as_text(client: Client) -> None:
    client.force_login(factories.staff("Operators"), "django.contrib.auth.backends.ModelBackend")
    owner = factories.business(HOSTILE, full_name=HOSTILE)
    chat = factories.conversation(factories.instance(owner), HOSTILE, conversation_data=[HOSTILE])
    message = factories.message(chat, HOSTILE * 10_000, metadata={HOSTILE: HOSTILE})
    answer = factories.interaction(chat, user_message=HOSTILE, ai_response=HOSTILE, metadata=HOSTILE)
    for name, row in (("conversation", chat), ("message", message), ("aiinteraction", answer)):
        for address in (f"/conversations/{name}/", f"/conversations/{name}/{row.pk}/change/"):
            page = client.get(address).content.decode()
            assert "&lt;script&gt;alert(1)" in page
            assert "<script>alert" not in page
    for address in ("/", "/usage/profile/", f"/usage/profile/{owner.pk}/change/"):
        assert "<script>alert" not in client.get(address).content.decode()
