"""The web server's entry. Refuses to start, in words, on settings or a database that the app cannot use."""

import os
import sys

from django.core.checks import run_checks
from django.core.wsgi import get_wsgi_application
from django.db import DEFAULT_DB_ALIAS, connections

from waops.backend import pooling

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "waops.settings")
application = get_wsgi_application()

errors = [m for m in run_checks(databases=[DEFAULT_DB_ALIAS]) if m.is_serious()]
if errors:
    sys.exit("\n".join(map(str, errors)))

# The threads that answer requests share connections; whatever ran before had one of its own.
connections.close_all()
pooling.start()
