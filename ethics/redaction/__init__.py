"""Redaction: recognisers find stretches of personal data; the gate puts labels in their place."""

from .found import LABELS, Found
from .known import Known
from .redactor import Redactor, active_model

__all__ = ["LABELS", "Found", "Known", "Redactor", "active_model"]
