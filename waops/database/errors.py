"""Read the server's error details, which Django hides behind the driver's exception."""

import psycopg


def sqlstate(error: BaseException) -> str | None:
    """The SQLSTATE of a driver's or Django's error; None if the server did not respond."""
    cause = error if isinstance(error, psycopg.Error) else error.__cause__
    return cause.sqlstate if isinstance(cause, psycopg.Error) else None


def first_line(error: BaseException) -> str:
    """The server's own first line; further lines may quote what people wrote."""
    diagnostics = getattr(error.__cause__, "diag", None)
    return getattr(diagnostics, "message_primary", None) or " ".join(str(error).split())
