"""Objects for other programs: linking, loading, and the files that C needs to use them."""
