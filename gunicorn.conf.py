"""How gunicorn serves the app: `make serve`, or `gunicorn` in this folder. Override with
GUNICORN_CMD_ARGS="--bind …".

Settings have gunicorn's names: https://docs.gunicorn.org/en/stable/settings.html
"""

import os

from waops.settings import LOGGING

wsgi_app = "waops.wsgi"
bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"

# Pages wait for the database more than they compute: one process per core, threads for the waiting. At most
# WEB_CONCURRENCY × DATABASE_POOL_SIZE connections to the database.
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
# Slow clients must not hold a thread: requests are received completely before a page sees them.
worker_class = "waops.serving.worker.BufferingWorker"
threads = 8

# Loaded once, before the workers: they start immediately and share memory, and an unusable database stops the
# start with a message instead of stopping workers one by one.
preload_app = True

# Seconds, for a hanging worker, and for the last responses at a restart.
timeout = 60
graceful_timeout = 30

# Heartbeat files on a slow disk would get workers killed.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108 a heartbeat file, no data

# Operators use signals and probes; a control socket would be one more thing to protect.
control_socket_disable = True

# One format for every line: the app's. It also logs each request, so gunicorn's own access log would repeat it.
logconfig_dict = LOGGING
accesslog = None
