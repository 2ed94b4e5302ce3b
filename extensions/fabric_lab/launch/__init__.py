"""What starts a session: ``python -I -m fabric_lab.launch`` is its whole batch job (:mod:`.job`)."""
