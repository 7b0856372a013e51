"""What stands between the web server and the pages: request ids, logs, probes, the visitor's address."""
