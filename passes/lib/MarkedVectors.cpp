//===- MarkedVectors.cpp - Vectors for linalg ops that a schedule marks ---===//
//
// As harl_mlir/codegen/marked_vectors.py does, where it is told why.
//
//===----------------------------------------------------------------------===//

#include "harl/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/Transforms/Transforms.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Dominance.h"
#include "mlir/Transforms/CSE.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace harl {

#define GEN_PASS_DEF_VECTORIZEMARKEDPASS
#include "harl/Passes.h.inc"

namespace {

constexpr StringLiteral kVectorAttr = "harl.vector";

/// Folds slices into transfers, and what schedules have done beside.
LogicalResult tidy(func::FuncOp function) {
  MLIRContext *context = function.getContext();
  RewritePatternSet patterns(context);
  tensor::populateFoldTensorSubsetIntoVectorTransferPatterns(patterns);
  tensor::populateMergeConsecutiveInsertExtractSlicePatterns(patterns);
  for (Dialect *dialect : context->getLoadedDialects())
    dialect->getCanonicalizationPatterns(patterns);
  for (RegisteredOperationName op : context->getRegisteredOperations())
    op.getCanonicalizationPatterns(patterns, context);
  if (failed(applyPatternsGreedily(function, std::move(patterns))))
    return failure();
  IRRewriter rewriter(context);
  DominanceInfo dominance(function);
  eliminateCommonSubExpressions(rewriter, dominance, function);
  return success();
}

struct VectorizeMarked
    : public impl::VectorizeMarkedPassBase<VectorizeMarked> {
  void runOnOperation() override {
    SmallVector<linalg::LinalgOp> marked;
    getOperation().walk([&](linalg::LinalgOp op) {
      if (op->hasAttr(kVectorAttr))
        marked.push_back(op);
    });
    if (marked.empty())
      return;
    IRRewriter rewriter(&getContext());
    for (linalg::LinalgOp op : marked) {
      rewriter.setInsertionPoint(op);
      // One that MLIR cannot vectorise stays as it is.
      FailureOr<linalg::VectorizationResult> made =
          linalg::vectorize(rewriter, op);
      if (succeeded(made))
        rewriter.replaceOp(op, made->replacements);
    }
    if (failed(tidy(getOperation())) || failed(tidy(getOperation())))
      signalPassFailure();
  }
};

} // namespace

} // namespace harl
