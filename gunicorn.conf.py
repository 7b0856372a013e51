"""How gunicorn serves the app: `make serve`, or `gunicorn` in this folder. Any of it: GUNICORN_CMD_ARGS="--bind …".

Settings of gunicorn, by its names: https://docs.gunicorn.org/en/stable/settings.html
"""

import os

from waops.settings import LOGGING

wsgi_app = "waops.wsgi"
bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"

# Pages wait for the database more than they compute: a process for each core, threads for the waiting. Connections to
# the database: WEB_CONCURRENCY × DATABASE_POOL_SIZE at most.
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
worker_class = "gthread"
threads = 8

# Loaded once, before the workers: they start at once and share memory, and a database that the app cannot use stops
# the start with a sentence instead of stopping workers one by one.
preload_app = True

# Seconds: for a worker that hangs, for the last answers at a restart, and for a proxy's next request.
timeout = 60
graceful_timeout = 30
keepalive = 5

# Small heartbeats on a slow disk would get workers killed.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108 a heartbeat file, no data

# One form for every line: the app's. It also has a line for each request, so gunicorn's own would repeat it.
logconfig_dict = LOGGING
accesslog = None
