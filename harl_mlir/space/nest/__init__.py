"""Loop nests one loop at a time: what a walk through them changes, and which of them are legal."""
