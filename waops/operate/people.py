"""Who did it."""

import getpass

from django.contrib.auth.base_user import AbstractBaseUser


def shell_user() -> str:
    """The account of the shell a command runs in."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without an entry, as in some containers
        return "?"


def display_name(user: AbstractBaseUser) -> str:
    """A member of staff's name as it is at this moment."""
    full_name = getattr(user, "get_full_name", str)()
    return full_name or user.get_username()
