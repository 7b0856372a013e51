"""The layer between the web server and the pages: request ids, logs, probes, the client's address."""
