"""Reading kernels: parse, verify, make shapes static, raise memrefs to tensors."""
