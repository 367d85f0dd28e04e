//===- TakeParts.cpp - How threads share the steps of a parallel loop -----===//
//
// A port of harl_mlir/codegen/taking_parts.py.
//
//===----------------------------------------------------------------------===//

#include "harl/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/OpenMP/OpenMPDialect.h"

using namespace mlir;

namespace harl {

#define GEN_PASS_DEF_TAKEPARTSPASS
#include "harl/Passes.h.inc"

namespace {

struct TakeParts : public impl::TakePartsPassBase<TakeParts> {
  void runOnOperation() override {
    MLIRContext *context = &getContext();
    getOperation().walk([&](omp::ParallelOp shared) {
      Operation *end = shared.getRegion().back().getTerminator();
      auto loop = dyn_cast_or_null<omp::WsloopOp>(end->getPrevNode());
      if (!loop)
        return;
      loop.setScheduleKindAttr(omp::ClauseScheduleKindAttr::get(
          context, omp::ClauseScheduleKind::Dynamic));
      loop.setScheduleModAttr(omp::ScheduleModifierAttr::get(
          context, omp::ScheduleModifier::nonmonotonic));
      // The end of the parallel region waits for all threads by itself.
      loop.setNowait(true);
    });
  }
};

} // namespace

} // namespace harl
