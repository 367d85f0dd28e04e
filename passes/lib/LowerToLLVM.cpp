//===- LowerToLLVM.cpp - harl-lower-to-llvm and harl-default --------------===//
//
// The passes are those that harl_mlir/codegen/lowering.txt lists.
//
//===----------------------------------------------------------------------===//

#include "harl/Pipelines.h"
#include "NarrowF64.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/Pipelines/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/SCF/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Dialect/Vector/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ErrorHandling.h"

#include <mutex>

using namespace mlir;

namespace harl {

#define GEN_PASS_DEF_EXPANDBF16PASS
#define GEN_PASS_DEF_NARROWF64PASS
#include "harl/Passes.h.inc"

#include "LoweringText.h"

namespace {

/// Makes the names in the list known where the program has not done so.
void registerListedPasses() {
  arith::registerArithPasses();
  registerTransformsPasses();
  registerConversionPasses();
  registerLinalgPasses();
  registerSCFPasses();
  bufferization::registerBufferizationPasses();
  math::registerMathPasses();
  memref::registerMemRefPasses();
  vector::registerVectorPasses();
  // Pipelines, unlike passes, may be registered only once.
  if (!PassPipelineInfo::lookup("buffer-deallocation-pipeline"))
    bufferization::registerBufferizationPipelines();
}

/// `text` with the value of a variable of the list.
std::string filled(StringRef text, StringRef variable, StringRef value) {
  auto [before, after] = text.split(variable);
  return before.size() == text.size() ? text.str()
                                      : (before + value + after).str();
}

/// Appends the passes that stand under `[stage]`.
void appendStage(OpPassManager &manager, StringRef stage,
                 const LowerToLLVMOptions &options) {
  std::string heading = ("[" + stage + "]").str();
  StringRef reassociate =
      options.accuracy == Accuracy::strict ? "false" : "true";
  std::string threads = llvm::utostr(options.threads);
  bool inside = false;
  for (StringRef line : llvm::split(kLoweringText, '\n')) {
    line = line.trim();
    if (line.starts_with("["))
      inside = line == heading;
    if (!inside || line.empty() || line.starts_with("#") ||
        line.starts_with("["))
      continue;
    std::string pass = filled(line, "$reassociate", reassociate);
    pass = filled(pass, "$threads", threads);
    // The list is part of this library, and so is what it was built with.
    if (failed(parsePassPipeline(pass, manager)))
      llvm::report_fatal_error(
          "harl-lower-to-llvm: this MLIR has no such pass");
  }
}

struct ExpandBF16 : public impl::ExpandBF16PassBase<ExpandBF16> {
  void runOnOperation() override {
    WalkResult found = getOperation().walk([](Operation *op) {
      bool computes = isa<arith::ArithDialect, math::MathDialect>(op->getDialect()) &&
                      llvm::any_of(op->getResultTypes(), [](Type type) {
                        return getElementTypeOrSelf(type).isBF16();
                      });
      return computes ? WalkResult::interrupt() : WalkResult::advance();
    });
    if (!found.wasInterrupted())
      return;
    OpPassManager manager(ModuleOp::getOperationName());
    LowerToLLVMOptions options;
    appendStage(manager, "to bits of bf16", options);
    if (failed(runPipeline(manager, getOperation())))
      signalPassFailure();
  }
};

struct NarrowF64 : public impl::NarrowF64PassBase<NarrowF64> {
  void runOnOperation() override {
    WalkResult found = getOperation().walk([](Operation *op) {
      return narrowsF64(op) ? WalkResult::interrupt() : WalkResult::advance();
    });
    if (!found.wasInterrupted())
      return;
    OpPassManager manager(ModuleOp::getOperationName());
    LowerToLLVMOptions options;
    appendStage(manager, "to narrow f64", options);
    if (failed(runPipeline(manager, getOperation())))
      return signalPassFailure();
    narrowInSteps(getOperation());
  }
};

} // namespace

void buildLowerToLLVMPipeline(OpPassManager &manager,
                              const LowerToLLVMOptions &options) {
  static std::once_flag registered;
  std::call_once(registered, registerListedPasses);
  Accuracy accuracy = options.accuracy;
  bool shared = options.threads > 1;
  manager.addNestedPass<func::FuncOp>(createVectorizeMarkedPass());
  manager.addNestedPass<func::FuncOp>(createFirstPlacesPass());
  manager.addNestedPass<func::FuncOp>(createComputeInPlacePass());
  manager.addNestedPass<func::FuncOp>(createOnlineSumsPass());
  appendStage(manager, "to fewer tensors", options);
  manager.addNestedPass<func::FuncOp>(createKeepPartWritesPass());
  appendStage(manager, "to buffers", options);
  manager.addNestedPass<func::FuncOp>(createPartEqualResultsPass());
  if (shared)
    manager.addNestedPass<func::FuncOp>(createInnerLoopsAlonePass());
  appendStage(manager, "to out-parameters", options);
  if (!shared)
    appendStage(manager, "to loops", options);
  appendStage(manager, "to hoisted buffers", options);
  manager.addNestedPass<func::FuncOp>(createWideBuffersPass());
  manager.addNestedPass<func::FuncOp>(createCopiesToLoopsPass());
  manager.addNestedPass<func::FuncOp>(createVectorizeLanesPass());
  if (accuracy == Accuracy::approximate) {
    ApproximateMathPassOptions functions;
    functions.avx512 = options.avx512;
    manager.addPass(createApproximateMathPass(functions));
  }
  VectorMathPassOptions vectors;
  if (accuracy != Accuracy::strict)
    vectors.isa = options.vectorMath;
  manager.addPass(createVectorMathPass(vectors));
  appendStage(manager, shared ? "to owned buffers on threads" : "to owned buffers",
              options);
  if (shared)
    manager.addNestedPass<func::FuncOp>(createTakePartsPass());
  manager.addNestedPass<func::FuncOp>(createMoveMasksAsBytesPass());
  manager.addNestedPass<func::FuncOp>(createTransposeTilesPass());
  manager.addNestedPass<func::FuncOp>(createStreamStoresPass());
  DotProductsPassOptions dots;
  // The instruction rounds sums of bf16 in an order of its own.
  dots.bf16 = options.bf16Dots && accuracy != Accuracy::strict;
  dots.i8 = options.i8Dots;
  if (dots.bf16 || dots.i8)
    manager.addNestedPass<func::FuncOp>(createDotProductsPass(dots));
  manager.addPass(createNarrowF64Pass());
  if (!options.bf16Dots)
    manager.addPass(createExpandBF16Pass());
  manager.addNestedPass<func::FuncOp>(createSingleTransfersPass());
  appendStage(manager, "to llvm", options);
  if (shared)
    appendStage(manager, "openmp to llvm", options);
  manager.addPass(createMoveSingleMasksAsBytesPass());
  manager.addPass(createPadBF16VectorsPass());
  manager.addPass(createMoveBF16AsBitsPass());
}

void buildDefaultPipeline(OpPassManager &manager,
                          const DefaultOptions &options) {
  ApplySchedulesPassOptions apply;
  apply.library = options.library;
  apply.failIfNone = options.failIfNone;
  manager.addPass(createApplySchedulesPass(apply));
  buildLowerToLLVMPipeline(manager, options);
}

void registerHarlPipelines() {
  static PassPipelineRegistration<LowerToLLVMOptions> lower(
      "harl-lower-to-llvm",
      "The fixed lowering of linalg and vectors on tensors to the LLVM dialect",
      buildLowerToLLVMPipeline);
  static PassPipelineRegistration<DefaultOptions> both(
      "harl-default",
      "harl-apply-schedules, then harl-lower-to-llvm",
      buildDefaultPipeline);
}

} // namespace harl
