"""Every measurement, at once, in SQLite."""
