"""The web server's entry. Refuses to start, in words, on settings or a database that the app cannot use."""

import logging
import os
import sys

from django.core.checks import run_checks
from django.core.wsgi import get_wsgi_application
from django.db import DEFAULT_DB_ALIAS, connections

from waops.backend import pooling

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "waops.settings")
application = get_wsgi_application()

# With those for deployment, which look for the collected static files too.
found = run_checks(include_deployment_checks=True, databases=[DEFAULT_DB_ALIAS])
errors = [message for message in found if message.is_serious()]
for message in found:
    if not message.is_serious() and not message.is_silenced():
        logging.getLogger("waops.wsgi").warning("%s", message)
if errors:
    sys.exit("\n".join(map(str, errors)))

# The threads that answer requests share connections; whatever ran before had one of its own.
connections.close_all()
pooling.start()
