//===- WholeLines.h - Vectors that are written to whole lines ---*- C++ -*-===//

#ifndef HARL_WHOLELINES_H
#define HARL_WHOLELINES_H

#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace harl {

inline constexpr int64_t kLine = 64;

/// Whole bytes of an element: of bits none.
int64_t bytesOf(mlir::MemRefType type);

/// Strides of a buffer all of whose strides are known; empty for others.
llvm::SmallVector<int64_t> stridesOf(mlir::MemRefType type);

/// The buffer in which a store writes whole lines, in bounds, if that begins
/// with one; else null.
mlir::Value writtenByLines(mlir::vector::TransferWriteOp write);

} // namespace harl

#endif // HARL_WHOLELINES_H
