"""Laws of the collectors."""
