//===- LinalgFacts.h - The loop nest of a linalg op -------------*- C++ -*-===//
//
// The facts that decide how an op is tuned, as plain data, read from IR once.
// The same facts as `harl_mlir/tasks/{linalg_op,facts}.py`.
//
//===----------------------------------------------------------------------===//

#ifndef HARL_LIB_LINALGFACTS_H
#define HARL_LIB_LINALGFACTS_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Operation.h"
#include "llvm/ADT/SmallVector.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace harl {

/// One result of an indexing map: a coefficient for every loop, then the
/// constant.
using AffineRow = llvm::SmallVector<int64_t, 8>;

/// One operand of a linalg op, with a row of its indexing map for each
/// dimension.
struct OperandFacts {
  llvm::SmallVector<int64_t, 4> shape;
  std::string element;
  llvm::SmallVector<AffineRow, 4> map;
  /// Whether it is no tensor.
  bool isScalar = false;
};

/// One scalar op of a linalg body. Values are numbered: block arguments first,
/// then the body's ops in order.
struct BodyOp {
  std::string name;
  llvm::SmallVector<unsigned, 3> operands;
  std::string result;
  /// Names and canonical texts, sorted by name.
  llvm::SmallVector<std::pair<std::string, std::string>, 1> attributes;
};

/// A linalg op with static shapes and one result.
struct LinalgFacts {
  /// Loop extents, outermost first.
  llvm::SmallVector<int64_t, 8> dims;
  /// For each loop whether it is a reduction; the others are parallel.
  llvm::SmallVector<bool, 8> isReduction;
  /// The inputs, then the init.
  llvm::SmallVector<OperandFacts, 3> operands;
  /// In the normal form of BodyForm.h.
  std::vector<BodyOp> body;
  /// The number of the value that the body yields.
  unsigned yields = 0;

  /// Whether all loops are parallel.
  bool isElementwise() const;
  /// Whether it writes one scalar everywhere.
  bool isFill() const;
  /// Whether the body uses the init's old value.
  bool readsInit() const;
  /// Whether the body does more than to convert and pass values on.
  bool hasArithmetic() const;
};

/// The loop that a map's row stands for if it is just that loop: `d1`.
std::optional<unsigned> plainLoop(const AffineRow &row);

/// Reads the facts of a linalg op on tensors. On failure, `reason` completes
/// the sentence "it is not tunable because ...".
llvm::FailureOr<LinalgFacts> readFacts(mlir::Operation *op,
                                       std::string &reason);

} // namespace harl

#endif // HARL_LIB_LINALGFACTS_H
