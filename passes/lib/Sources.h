//===- Sources.h - Where the operands of a workload come from ---*- C++ -*-===//
//
// A workload stands on its own: what its ops use is an argument, a constant, a
// tensor.empty, or made by one of them. The canonical text is written from
// this, and so is the kernel that is cut out. The same rules as
// `harl_mlir/tasks/extract.py`.
//
//===----------------------------------------------------------------------===//

#ifndef HARL_LIB_SOURCES_H
#define HARL_LIB_SOURCES_H

#include "Grouping.h"

#include "mlir/IR/Value.h"

namespace harl {

/// Where an operand of a member comes from.
struct Source {
  enum Kind { Argument, Member, Empty, Constant };
  Kind kind = Argument;
  /// Of an argument or a member.
  unsigned index = 0;
  /// Of a constant: an IntegerAttr or a FloatAttr.
  mlir::Attribute number = {};
};

/// The sources of a member's operands, in order.
struct MemberSources {
  llvm::SmallVector<Source> operands;
  /// Whether the init becomes a new `tensor.empty`: its old value is not read.
  bool freshInit = false;
};

/// The sources of a workload's members, in order.
struct Sources {
  std::vector<MemberSources> members;
  /// The values that become the arguments, in order of first use.
  llvm::SmallVector<mlir::Value> arguments;
  /// The `tensor.empty` and `arith.constant` ops that are copied, in order of
  /// first use.
  llvm::SmallVector<mlir::Operation *> copied;
};

/// Finds the sources of the members of a workload, given in program order.
Sources sourcesOf(llvm::ArrayRef<const Node *> members);

/// The canonical text of a workload whose last member is its result, as
/// `harl_mlir/tasks/key.py` defines it.
std::string canonicalText(llvm::ArrayRef<const Node *> members,
                          const Sources &sources);

/// The workload key: the first 16 hex digits of the canonical text's SHA-256.
std::string keyOf(llvm::StringRef canonicalText);

} // namespace harl

#endif // HARL_LIB_SOURCES_H
