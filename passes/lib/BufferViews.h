//===- BufferViews.h - What views of buffers are of -------------*- C++ -*-===//

#ifndef HARL_BUFFERVIEWS_H
#define HARL_BUFFERVIEWS_H

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/BuiltinOps.h"

namespace harl {

/// What a view is of, one step back; null for no view. Casts are of buffers of
/// i1 to those of i8 (MaskBytes.cpp).
inline mlir::Value viewed(mlir::Value buffer) {
  mlir::Operation *op = buffer.getDefiningOp();
  if (llvm::isa_and_nonnull<mlir::memref::CastOp, mlir::memref::CollapseShapeOp,
                            mlir::memref::ExpandShapeOp,
                            mlir::memref::SubViewOp,
                            mlir::UnrealizedConversionCastOp>(op))
    return op->getNumOperands() ? op->getOperand(0) : mlir::Value();
  return {};
}

/// The buffer that a view is of, or that itself.
inline mlir::Value rootOf(mlir::Value buffer) {
  while (mlir::Value source = viewed(buffer))
    buffer = source;
  return buffer;
}

} // namespace harl

#endif // HARL_BUFFERVIEWS_H
