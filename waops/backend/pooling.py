"""Whether connections are shared through Django's pool.

Only a process that serves requests pools. A command needs one connection, and a pool would only hide the reason when
there is none to be had behind a time-out of its own.
"""

_serving = False


def start() -> None:
    """This process serves requests from now on."""
    global _serving
    _serving = True


def started() -> bool:
    return _serving
