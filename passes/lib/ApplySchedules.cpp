//===- ApplySchedules.cpp - harl-apply-schedules --------------------------===//

#include "Normalise.h"
#include "harl/Diagnostics.h"
#include "harl/Passes.h"
#include "harl/ScheduleLibrary.h"
#include "harl/Scheduler.h"

#include "mlir/Dialect/Transform/IR/TransformDialect.h"
#include "mlir/Dialect/Transform/Interfaces/TransformInterfaces.h"

using namespace mlir;

namespace harl {

#define GEN_PASS_DEF_APPLYSCHEDULESPASS
#include "harl/Passes.h.inc"

namespace {

/// By which linalg ops are told apart while a script runs.
constexpr StringLiteral kNumberAttr = "harl.number";

/// What a linalg op was before a script ran.
struct Before {
  Location place;
  StringRef name;
  SmallVector<Type> types;
  unsigned found = 0;
};

SmallVector<Before> number(ModuleOp module) {
  SmallVector<Before> ops;
  Builder builder(module.getContext());
  module.walk<WalkOrder::PreOrder>([&](linalg::LinalgOp op) {
    op->setAttr(kNumberAttr, builder.getI64IntegerAttr(ops.size()));
    ops.push_back({op.getLoc(), op->getName().getStringRef(),
                   SmallVector<Type>(op->getOperandTypes())});
  });
  return ops;
}

/// Says which ops the script has changed, and how many.
unsigned tellChanged(ModuleOp module, MutableArrayRef<Before> ops) {
  module.walk([&](Operation *op) {
    auto number = op->getAttrOfType<IntegerAttr>(kNumberAttr);
    op->removeAttr(kNumberAttr);
    if (!number || number.getValue().uge(ops.size()))
      return;
    Before &before = ops[number.getInt()];
    before.found += op->getName().getStringRef() == before.name &&
                    llvm::equal(op->getOperandTypes(), before.types);
  });
  unsigned changed = 0;
  for (const Before &op : ops) {
    changed += op.found != 1;
    emitRemark(op.place) << (op.found != 1 ? "changed by the script"
                                           : "not changed by the script");
  }
  return changed;
}

struct ApplySchedules
    : public impl::ApplySchedulesPassBase<ApplySchedules> {
  using ApplySchedulesPassBase::ApplySchedulesPassBase;

  LogicalResult initialize(MLIRContext *context) override {
    if (library.empty())
      return emitError(UnknownLoc::get(context))
             << "harl-apply-schedules needs a schedule library; give "
                "library=FILE";
    loaded = ScheduleLibrary::load(library, context);
    return success(loaded != nullptr);
  }

  void runOnOperation() override {
    FailureOr<unsigned> applied =
        loaded->isLibrary() ? applyLibrary() : runScript();
    if (failed(applied))
      return signalPassFailure();
    if (failIfNone && *applied == 0) {
      emitError(getOperation().getLoc())
          << "no schedule of " << loaded->getFile()
          << " was applied to this module; the remarks tell what became of its "
             "ops";
      signalPassFailure();
    }
  }

private:
  /// How many schedules were applied.
  FailureOr<unsigned> applyLibrary() {
    ModuleOp module = getOperation();
    unsigned scheduled = 0;
    int64_t functions = numberFunctions(module);
    for (int64_t number = 0; number < functions; ++number)
      scheduled += FunctionScheduler(module, number, *loaded).run();
    return scheduled;
  }

  /// How many ops were changed.
  FailureOr<unsigned> runScript() {
    ModuleOp module = getOperation();
    SmallVector<Before> ops = number(module);
    Location place = FileLineColLoc::get(&getContext(), loaded->getFile(), 0, 0);
    std::string reason;
    {
      ErrorCatcher errors(module.getContext());
      if (succeeded(transform::applyTransforms(
              module, loaded->getMain(), {}, transform::TransformOptions(),
              /*enforceToplevelTransformOp=*/false)))
        return tellChanged(module, ops);
      reason = errors.getMessage();
      if (errors.getLocation())
        place = *errors.getLocation();
    }
    return emitError(place) << "the transform script failed: " << reason;
  }

  /// Shared by copies of the pass.
  std::shared_ptr<const ScheduleLibrary> loaded;
};

} // namespace
} // namespace harl
