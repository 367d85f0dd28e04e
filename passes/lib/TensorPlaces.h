//===- TensorPlaces.h - Which part of a tensor a value is -------*- C++ -*-===//
//
// What is known of places that vectors and slices have in tensors, and of
// tensors of which nothing is known.
//
//===----------------------------------------------------------------------===//

#ifndef HARL_LIB_TENSORPLACES_H
#define HARL_LIB_TENSORPLACES_H

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Value.h"
#include "mlir/Interfaces/VectorInterfaces.h"
#include "llvm/ADT/SmallVector.h"

#include <optional>
#include <utility>

namespace harl {

/// A place in a tensor, a number for each dimension.
using Place = llvm::SmallVector<int64_t>;

/// Whether a vector has the dimensions of the tensor, in their order, and
/// nothing is left out of it.
bool isPlain(mlir::VectorTransferOpInterface transfer);

/// An index as a value, if it has one, and a number; `more` is added.
std::pair<mlir::Value, int64_t> sumOf(mlir::Value index, int64_t more = 0);

/// Where a slice of as many dimensions is, if that is known and it leaves
/// nothing out.
std::optional<Place> offsetsOf(mlir::tensor::ExtractSliceOp part);
std::optional<Place> offsetsOf(mlir::tensor::InsertSliceOp whole);

/// What a tensor is a part of, to which nothing was written there before, and
/// where in that it is.
std::pair<mlir::Value, std::optional<Place>> startOf(mlir::Value value);

/// Whether nothing is known of a tensor's elements: it is empty, or a part of
/// an empty result, which may be that of a loop in another.
bool isUnknown(mlir::Value value);

} // namespace harl

#endif // HARL_LIB_TENSORPLACES_H
