//===- BufferViews.h - What views of buffers are of -------------*- C++ -*-===//

#ifndef HARL_BUFFERVIEWS_H
#define HARL_BUFFERVIEWS_H

#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace harl {

/// What a view is of, one step back; null for no view.
inline mlir::Value viewed(mlir::Value buffer) {
  mlir::Operation *op = buffer.getDefiningOp();
  if (llvm::isa_and_nonnull<mlir::memref::CastOp, mlir::memref::CollapseShapeOp,
                            mlir::memref::ExpandShapeOp,
                            mlir::memref::SubViewOp>(op))
    return op->getOperand(0);
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
