"""Operate the live database: its figures and problems, shown to operators on pages and by commands.

Every read is bounded: it has a statement timeout and a lock timeout, takes no lock that blocks writers, and reads only
catalogs, statistics, or a bounded number of the newest rows, never a whole large table.
"""
