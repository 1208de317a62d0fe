"""Laws of the fieldwork set."""
