"""Names of the people who did something."""

import getpass


def shell_user() -> str:
    """The account of the shell a command runs in."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without an entry, as in some containers
        return "?"
