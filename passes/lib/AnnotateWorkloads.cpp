//===- AnnotateWorkloads.cpp - harl-annotate-workloads --------------------===//

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
    getOperation().walk([](func::FuncOp function) {
      for (const Workload &workload : findWorkloads(function))
        workload.root->setAttr(
            kWorkloadAttr,
            StringAttr::get(function.getContext(), workload.key));
    });
  }
};

} // namespace
} // namespace harl
