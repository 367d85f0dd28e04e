//===- InnerLoops.cpp - Which loops threads share -------------------------===//
//
// A port of harl_mlir/codegen/inner_loops.py.
//
//===----------------------------------------------------------------------===//

#include "harl/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/Transforms.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/LoopLikeInterface.h"

using namespace mlir;

namespace harl {

#define GEN_PASS_DEF_INNERLOOPSALONEPASS
#include "harl/Passes.h.inc"

namespace {

struct InnerLoopsAlone
    : public impl::InnerLoopsAlonePassBase<InnerLoopsAlone> {
  void runOnOperation() override {
    SmallVector<scf::ForallOp> alone;
    // Inner ones first: what they become stays inside.
    getOperation().walk([&](scf::ForallOp loop) {
      if (loop->hasAttr(kAloneAttr) ||
          loop->getParentOfType<LoopLikeOpInterface>())
        alone.push_back(loop);
    });
    IRRewriter rewriter(&getContext());
    for (scf::ForallOp loop : alone) {
      rewriter.setInsertionPoint(loop);
      if (failed(scf::forallToForLoop(rewriter, loop)))
        return signalPassFailure();
    }
  }
};

} // namespace

} // namespace harl
