//===- RowPieces.h - Rows that are kept in pieces ---------------*- C++ -*-===//
//
// A port of harl_mlir/codegen/row_pieces.py.
//
//===----------------------------------------------------------------------===//

#ifndef HARL_LIB_ROWPIECES_H
#define HARL_LIB_ROWPIECES_H

#include "mlir/IR/Block.h"
#include "mlir/IR/Value.h"
#include "mlir/Interfaces/VectorInterfaces.h"
#include "llvm/ADT/SmallVector.h"

#include <optional>
#include <utility>

namespace harl {

/// The first number and the one after the last, for each dimension.
using Ranges = llvm::SmallVector<std::pair<int64_t, int64_t>>;

/// Has loops that write vectors into the beginning of a tensor carry all of it,
/// in place.
void carryWholeRows(mlir::Block *block);

/// Where a user reads or writes a tensor, in all steps of its loop; nothing if
/// that is not known.
std::optional<Ranges> touched(mlir::OpOperand &use);

/// What a tensor was before it was written elsewhere than at a place.
mlir::Value beforeAt(mlir::Value tensor, const Ranges &place);

/// Where a vector is read or written, in all steps of its loop; nothing if that
/// is not known.
std::optional<Ranges> rangesOf(mlir::VectorTransferOpInterface transfer);

/// Whether two parts of a tensor have nothing in common.
bool areApart(const Ranges &one, const Ranges &other);

} // namespace harl

#endif
