"""The commands of this project, with the words of those that have some."""

from argparse import ArgumentParser, _SubParsersAction

from django.core.management import get_commands, load_command_class

APPS = {"waops", "waops.dev", "usage", "conversations", "escalations"}


def parser_of(command: str) -> ArgumentParser:
    return load_command_class(get_commands()[command], command).create_parser("manage.py", command)


def words_of(parser: ArgumentParser) -> dict[str, ArgumentParser]:
    """The parser of each word; empty for a command that has none."""
    for action in parser._actions:
        if isinstance(action, _SubParsersAction):
            return dict(action.choices)
    return {}


def our_commands(but: set[str]) -> list[list[str]]:
    """Each command, also with each of its words; not those in `but` (`doctor`, `rollout explain`)."""
    found: list[list[str]] = []
    for command in sorted(name for name, app in get_commands().items() if app in APPS):
        if command not in but:
            found.append([command])
            found += [[command, word] for word in words_of(parser_of(command)) if f"{command} {word}" not in but]
    return found
