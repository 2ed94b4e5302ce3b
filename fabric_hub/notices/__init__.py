"""Everything that somebody is told, in one outbox: by which channel, in whose language, each once."""
