//===- BodyForm.h - The normal form of a linalg body ------------*- C++ -*-===//
//
// Equal bodies that are written differently become equal: only what the
// yielded value needs is kept, operands of commutative ops are ordered, equal
// values are one value, and ops are numbered as a depth-first walk from the
// yielded value finishes them. `harl_mlir/tasks/body.py` defines it.
//
//===----------------------------------------------------------------------===//

#ifndef HARL_LIB_BODYFORM_H
#define HARL_LIB_BODYFORM_H

#include "LinalgFacts.h"

namespace harl {

/// The SHA-256 of a text as 64 lower-case hex digits.
std::string sha256(llvm::StringRef text);

/// `name=value` joined by `,`.
std::string attributesText(const BodyOp &op);

/// Brings a body with `arguments` block arguments into the normal form and
/// renumbers what it yields.
void normalise(unsigned arguments, std::vector<BodyOp> &body, unsigned &yields);

} // namespace harl

#endif // HARL_LIB_BODYFORM_H
