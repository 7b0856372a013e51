"""The doctor: the state of the owner's plan in this database, at a glance."""

from waops.dbops.doctor.diagnosis import Diagnosis, diagnose
from waops.dbops.doctor.section import Section

__all__ = ["Diagnosis", "Section", "diagnose"]
