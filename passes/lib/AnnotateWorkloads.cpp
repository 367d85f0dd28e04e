//===- AnnotateWorkloads.cpp - harl-annotate-workloads --------------------===//

#include "Normalise.h"
#include "Remarks.h"
#include "harl/Passes.h"
#include "harl/Workloads.h"

using namespace mlir;

namespace harl {

#define GEN_PASS_DEF_ANNOTATEWORKLOADSPASS
#include "harl/Passes.h.inc"

namespace {

struct AnnotateWorkloads
    : public impl::AnnotateWorkloadsPassBase<AnnotateWorkloads> {
  void runOnOperation() override {
    getOperation().walk([](Operation *op) { op->removeAttr(kWorkloadAttr); });
    getOperation().walk([this](func::FuncOp function) { annotate(function); });
  }

  void annotate(func::FuncOp function) {
    normalise(function);
    SmallVector<NotTunable> left;
    for (const Workload &workload : findWorkloads(function, &left)) {
      workload.root->setAttr(
          kWorkloadAttr, StringAttr::get(&getContext(), workload.key));
      remark::passed(workload.anchor->getLoc(),
                     remarkOptions("Tunable", getArgument(), function))
          << remark::metric("Workload", workload.key)
          << remark::metric("Label", workload.label);
    }
    remarkNotTunable(left, getArgument(), function);
  }
};

} // namespace
} // namespace harl
