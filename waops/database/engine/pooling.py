"""Whether connections use Django's pool.

Only processes that serve requests do. A command needs one connection, and a pool would hide the reason behind its own
timeout if it cannot get one.
"""

_serving = False


def start() -> None:
    """This process serves requests from now on."""
    global _serving
    _serving = True


def started() -> bool:
    return _serving
