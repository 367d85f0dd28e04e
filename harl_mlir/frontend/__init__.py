"""Reading .mlir text: parsing, shape specialisation, raising memrefs to tensors."""
