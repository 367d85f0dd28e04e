//===- Rows.h - Row operations ----------------------------------*- C++ -*-===//
//
// Ops over the same rows, of which some reduce each row to a number: their loops
// are those over rows, then at most one along the row. The same as
// `harl_mlir/tasks/rows.py`.
//
//===----------------------------------------------------------------------===//

#ifndef HARL_LIB_ROWS_H
#define HARL_LIB_ROWS_H

#include "LinalgFacts.h"

#include <optional>

namespace harl {

/// How many rows there are along each dimension, and their length.
struct Rows {
  llvm::SmallVector<int64_t, 4> counts;
  int64_t length;

  bool operator==(const Rows &other) const {
    return counts == other.counts && length == other.length;
  }
  /// Whether an op works on these rows: along them, or on one number for each.
  bool fits(const LinalgFacts &op) const;
  /// Whether it does, and its elements are such as vectors hold in memory.
  bool holds(const LinalgFacts &op) const;
  /// Whether an op, one of these, has the loop along the row.
  bool isAlong(const LinalgFacts &op) const {
    return op.dims.size() > counts.size();
  }
};

/// The rows that an op reduces; none where it is no reduction of rows.
std::optional<Rows> rowsOf(const LinalgFacts &op);

/// Whether the operand's dimensions are the first `count` loops in their order.
bool isLeading(const OperandFacts &operand, size_t count);

} // namespace harl

#endif // HARL_LIB_ROWS_H
