"""The fieldwork set: invented threads, single posts and interviews, to try everything on."""
