"""Dates and numbers in Arabic, formatted as in English: Django's own formats fall back to American times and write
1.234,5.
"""

DATE_FORMAT = "j F Y"
DATETIME_FORMAT = "j F Y، H:i"
SHORT_DATE_FORMAT = "j F"
SHORT_DATETIME_FORMAT = "j F، H:i"
TIME_FORMAT = "H:i"
DECIMAL_SEPARATOR = "."
THOUSAND_SEPARATOR = ","
NUMBER_GROUPING = 3
