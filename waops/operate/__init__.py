"""Figures about the live database, and what is wrong with it: shown to operators by pages and commands.

Every read is bounded: it has a statement timeout and a lock timeout, takes no lock that a writer would feel, and looks
at catalogs, statistics, or a bounded number of the newest rows, never at a whole large table.
"""
