"""The laboratory: recorded spaces, and comparisons of agents live or on them."""
