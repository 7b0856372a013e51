"""The web server's entry point. Refuses to start, with an explanation, if settings or the database cannot be used."""

import logging
import os
import sys

from django.core.checks import run_checks
from django.core.wsgi import get_wsgi_application
from django.db import DEFAULT_DB_ALIAS, connections

from waops.database.engine import pooling

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "waops.settings")
application = get_wsgi_application()

# Including the deployment checks, which also look for the collected static files.
found = run_checks(include_deployment_checks=True, databases=[DEFAULT_DB_ALIAS])
errors = [message for message in found if message.is_serious()]
for message in found:
    if not message.is_serious() and not message.is_silenced():
        logging.getLogger("waops.wsgi").warning("%s", message)
if errors:
    sys.exit("\n".join(map(str, errors)))

# Request threads share pooled connections; code before this used its own connection.
connections.close_all()
pooling.start()
