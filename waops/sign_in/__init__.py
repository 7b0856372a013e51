"""How staff get in: the history of logins, and the second factor."""
