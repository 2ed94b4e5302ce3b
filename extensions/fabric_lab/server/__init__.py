"""What the session's Jupyter Server has besides Jupyter's own: :mod:`.extension` loads it."""
