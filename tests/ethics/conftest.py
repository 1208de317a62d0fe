"""Laws are checked at any speed: a slow machine breaks none."""

from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
