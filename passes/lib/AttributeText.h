//===- AttributeText.h - Canonical texts of attributes ----------*- C++ -*-===//
//
// How attributes and constants are written in the canonical text of a
// workload (`harl_mlir/tasks/key.py` defines it).
//
//===----------------------------------------------------------------------===//

#ifndef HARL_LIB_ATTRIBUTETEXT_H
#define HARL_LIB_ATTRIBUTETEXT_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Types.h"

#include <string>

namespace harl {

/// What MLIR prints.
std::string printed(mlir::Type type);
std::string printed(mlir::Attribute attribute);

/// Whether values of this type may be elements of operands and values of
/// bodies.
bool isSupportedElement(mlir::Type type);

/// The value of a constant: of a float, 16 hex digits of it as an IEEE double,
/// with one NaN only; of an integer, decimal digits.
std::string constantText(mlir::FloatAttr number);
std::string constantText(mlir::IntegerAttr number);

/// Any other attribute: an integer as decimal digits, a float as the shortest
/// decimal that reads back as the same double (as Python's `repr` writes it),
/// else what MLIR prints.
std::string attributeText(mlir::Attribute attribute);

/// The one number of an `arith.constant` that is a scalar or a splat; null for
/// other ops and constants.
mlir::Attribute constantNumber(mlir::Operation *op);

} // namespace harl

#endif // HARL_LIB_ATTRIBUTETEXT_H
