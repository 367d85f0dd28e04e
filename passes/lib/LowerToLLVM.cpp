//===- LowerToLLVM.cpp - harl-lower-to-llvm and harl-default --------------===//
//
// The passes are those that harl_mlir/codegen/lowering.txt lists.
//
//===----------------------------------------------------------------------===//

#include "harl/Pipelines.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Bufferization/Pipelines/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/SCF/Transforms/Passes.h"
#include "mlir/Dialect/Vector/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ErrorHandling.h"

#include <mutex>

using namespace mlir;

namespace harl {

#include "LoweringText.h"

namespace {

/// Makes the names in the list known where the program has not done so.
void registerListedPasses() {
  registerTransformsPasses();
  registerConversionPasses();
  registerLinalgPasses();
  registerSCFPasses();
  bufferization::registerBufferizationPasses();
  memref::registerMemRefPasses();
  vector::registerVectorPasses();
  // Pipelines, unlike passes, may be registered only once.
  if (!PassPipelineInfo::lookup("buffer-deallocation-pipeline"))
    bufferization::registerBufferizationPipelines();
}

/// Appends the passes that stand under `[stage]`.
void appendStage(OpPassManager &manager, StringRef stage, Accuracy accuracy) {
  std::string heading = ("[" + stage + "]").str();
  StringRef reassociate = accuracy == Accuracy::strict ? "false" : "true";
  bool inside = false;
  for (StringRef line : llvm::split(kLoweringText, '\n')) {
    line = line.trim();
    if (line.starts_with("["))
      inside = line == heading;
    if (!inside || line.empty() || line.starts_with("#") ||
        line.starts_with("["))
      continue;
    auto [before, after] = line.split("$reassociate");
    std::string pass = before.str();
    if (before.size() != line.size())
      pass += (reassociate + after).str();
    // The list is part of this library, and so is what it was built with.
    if (failed(parsePassPipeline(pass, manager)))
      llvm::report_fatal_error(
          "harl-lower-to-llvm: this MLIR has no such pass");
  }
}

} // namespace

void buildLowerToLLVMPipeline(OpPassManager &manager,
                              const LowerToLLVMOptions &options) {
  static std::once_flag registered;
  std::call_once(registered, registerListedPasses);
  Accuracy accuracy = options.accuracy;
  appendStage(manager, "to buffers", accuracy);
  manager.addNestedPass<func::FuncOp>(createPartEqualResultsPass());
  for (StringRef stage :
       {"to out-parameters", "to loops", "to hoisted buffers"})
    appendStage(manager, stage, accuracy);
  manager.addNestedPass<func::FuncOp>(createCopiesToLoopsPass());
  if (accuracy == Accuracy::approximate)
    manager.addNestedPass<func::FuncOp>(createApproximateMathPass());
  VectorMathPassOptions vectors;
  if (accuracy != Accuracy::strict)
    vectors.isa = options.vectorMath;
  manager.addPass(createVectorMathPass(vectors));
  appendStage(manager, "to owned buffers", accuracy);
  manager.addNestedPass<func::FuncOp>(createStreamStoresPass());
  appendStage(manager, "to llvm", accuracy);
}

void buildDefaultPipeline(OpPassManager &manager,
                          const DefaultOptions &options) {
  ApplySchedulesPassOptions apply;
  apply.library = options.library;
  apply.failIfNone = options.failIfNone;
  manager.addPass(createApplySchedulesPass(apply));
  LowerToLLVMOptions lower;
  lower.accuracy = options.accuracy;
  lower.vectorMath = options.vectorMath;
  buildLowerToLLVMPipeline(manager, lower);
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
