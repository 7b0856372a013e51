"""Demo accounts: for development only, and harmless to make again."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests import wording
from waops.models import User

pytestmark = pytest.mark.django_db


def run() -> str:
    output = StringIO()
    call_command("demo", "staff", stdout=output)
    return output.getvalue()


def test_it_makes_an_account_for_each_group_and_an_administrator() -> None:
    output = run()
    groups = {user.username: [group.name for group in user.groups.all()] for user in User.objects.all()}
    assert groups == {
        **{"support": ["Support"], "support2": ["Support"]},
        **{"manager": ["Managers"], "operator": ["Operators"], "admin": []},
    }
    assert [user.username for user in User.objects.filter(is_superuser=True)] == ["admin"]
    for user in User.objects.all():
        assert user.check_password(f"demo-{user.username}")
        assert f"demo-{user.username}" in output


def test_a_second_time_it_restores_the_rights_and_leaves_the_password() -> None:
    run()
    user = User.objects.get(username="support")
    user.groups.clear()
    user.is_superuser = True
    user.set_password("my own")
    user.save()
    run()
    user.refresh_from_db()
    assert (user.is_superuser, user.groups.get().name, User.objects.count()) == (False, "Support", 5)
    assert user.check_password("my own")


def test_it_refuses_a_real_database(settings) -> None:
    settings.EMBEDDED_POSTGRES = settings.DEBUG = False
    with pytest.raises(CommandError, match=wording.DEMO_ACCOUNTS_ON_A_REAL_DATABASE):
        run()
    assert not User.objects.exists()
