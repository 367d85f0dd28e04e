"""From tensors to machine code: the one fixed lowering, the JIT, the timing loop."""
