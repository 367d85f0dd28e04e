"""Measuring: the worker process, the pool, operands, the reference, the clock."""
