"""The agent protocol and the search policies."""
