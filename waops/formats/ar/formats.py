"""Dates and times in Arabic: as in English, where Django's own fall back to American ones."""

DATE_FORMAT = "j F Y"
DATETIME_FORMAT = "j F Y، H:i"
SHORT_DATE_FORMAT = "j F"
SHORT_DATETIME_FORMAT = "j F، H:i"
TIME_FORMAT = "H:i"
