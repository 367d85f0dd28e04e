"""The agent that walks through loop nests beside searches over them, a library, and other tuners."""
