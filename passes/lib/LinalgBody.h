//===- LinalgBody.h - The body of a linalg op -------------------*- C++ -*-===//
//
// The scalar ops of a body as plain data, in the normal form of BodyForm.h.
//
//===----------------------------------------------------------------------===//

#ifndef HARL_LIB_LINALGBODY_H
#define HARL_LIB_LINALGBODY_H

#include "LinalgFacts.h"

#include "mlir/IR/Block.h"

#include <string>

namespace harl {

/// Reads the body of an op whose operands `facts` knows into `facts`. On
/// failure, `reason` completes the sentence "it is not tunable because ...".
llvm::LogicalResult readBody(mlir::Block &block, LinalgFacts &facts,
                             std::string &reason);

} // namespace harl

#endif // HARL_LIB_LINALGBODY_H
