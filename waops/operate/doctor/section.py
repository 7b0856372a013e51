"""One part of the doctor's answer."""

from dataclasses import dataclass, field

from waops.operate.figures import Figures
from waops.operate.findings import Finding


@dataclass
class Section:
    findings: list[Finding] = field(default_factory=list)
    figures: list[Figures] = field(default_factory=list)
