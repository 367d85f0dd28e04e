//===- Remarks.h - What passes tell people --------------------*- C++ -*-===//
//
// Optimization remarks, which `--remarks-filter="harl.*"` shows.
//
//===----------------------------------------------------------------------===//

#ifndef HARL_LIB_REMARKS_H
#define HARL_LIB_REMARKS_H

#include "harl/Workloads.h"

#include "mlir/IR/Remarks.h"

namespace harl {

/// The options of a remark of a pass on something in a function.
inline mlir::remark::RemarkOpts
remarkOptions(llvm::StringRef name, llvm::StringRef pass,
              mlir::func::FuncOp function) {
  return mlir::remark::RemarkOpts::name(name).category(pass).function(
      function.getName());
}

/// Says of each op of a function that is left alone why.
inline void remarkNotTunable(llvm::ArrayRef<NotTunable> left,
                             llvm::StringRef pass,
                             mlir::func::FuncOp function) {
  for (const NotTunable &op : left)
    mlir::remark::missed(op.op->getLoc(),
                         remarkOptions("NotTunable", pass, function))
        << mlir::remark::metric("Op", op.op->getName().getStringRef())
        << mlir::remark::reason("{0}", op.reason);
}

} // namespace harl

#endif // HARL_LIB_REMARKS_H
