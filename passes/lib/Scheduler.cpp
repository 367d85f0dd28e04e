//===- Scheduler.cpp - Applying a schedule library to a function ----------===//

#include "harl/Scheduler.h"
#include "Fills.h"
#include "Normalise.h"
#include "harl/Diagnostics.h"
#include "harl/Passes.h"
#include "harl/TaskCopy.h"
#include "harl/Workloads.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Transform/Interfaces/TransformInterfaces.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Transforms/RegionUtils.h"

#include <algorithm>
#include <map>

using namespace mlir;

namespace harl {

/// A function's number.
static constexpr StringLiteral kFunctionAttr = "harl.function";
/// By which a library's matchers tag a root.
static constexpr StringLiteral kRootPrefix = "harl.root_";

/// Calls `visit` for the functions of a module until it returns true.
static void visitFunctions(ModuleOp module,
                           llvm::function_ref<bool(func::FuncOp)> visit) {
  module.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (auto function = dyn_cast<func::FuncOp>(op))
      return visit(function) ? WalkResult::interrupt() : WalkResult::skip();
    return isa<ModuleOp>(op) ? WalkResult::advance() : WalkResult::skip();
  });
}

int64_t numberFunctions(ModuleOp module) {
  int64_t count = 0;
  Builder builder(module.getContext());
  visitFunctions(module, [&](func::FuncOp function) {
    if (!function.isExternal())
      function->setAttr(kFunctionAttr, builder.getI64IntegerAttr(count++));
    return false;
  });
  return count;
}

static LogicalResult applyTo(Operation *root, const Schedule &schedule) {
  return transform::applyTransforms(root, schedule.sequence, {},
                                    transform::TransformOptions(),
                                    /*enforceToplevelTransformOp=*/false);
}

FunctionScheduler::FunctionScheduler(ModuleOp module, int64_t number,
                                     const ScheduleLibrary &library)
    : module(module), functionNumber(number), library(library) {}

unsigned FunctionScheduler::run() {
  function = relocate();
  if (!function) // A schedule of another function has erased it.
    return 0;
  normalise(function, library.isStrict());
  ops.number(function);
  applyByKey(/*again=*/false);
  if (someGone)
    applyByKey(/*again=*/true);
  applyByMatchers();
  tellLeft();
  function->removeAttr(kFunctionAttr);
  ops.remove(function, scheduled);
  function.walk([](Operation *op) { op->removeAttr(kBorderAttr); });
  if (scheduled) {
    IRRewriter rewriter(function.getContext());
    (void)runRegionDCE(rewriter, function->getRegions());
  }
  return scheduled;
}

/// `again` looks for ops that have replaced neighbours of what was scheduled.
void FunctionScheduler::applyByKey(bool again) {
  SmallVector<Job> jobs;
  for (const Workload &workload : findWorkloads(function)) {
    const Schedule *schedule = library.lookup(workload.key);
    if (!schedule || again == (numberOf(workload.root) >= 0))
      continue;
    for (Operation *member : workload.members)
      if (numberOf(member) < 0)
        ops.add(member);
    jobs.push_back({numberOf(workload.root), schedule,
                    llvm::map_to_vector(workload.members, numberOf)});
  }
  // A fill that is also a result of the function is a workload of its own, whose
  // schedule would take it from the others.
  std::stable_partition(jobs.begin(), jobs.end(), [&](const Job &job) {
    Operation *root = find(job.root);
    return job.members.size() > 1 || !root || !isFill(root);
  });
  for (const Job &job : jobs)
    attempt(job);
}

void FunctionScheduler::applyByMatchers() {
  std::map<unsigned, SmallVector<int64_t>> candidates;
  for (auto [number, op] : ops.inPlace(function))
    for (unsigned position : library.mayMatch(op))
      candidates[position].push_back(number);
  for (auto &[position, numbers] : candidates) {
    const Schedule &schedule = *library.getMatched()[position];
    if (failing.contains(schedule.key))
      continue;
    llvm::sort(numbers);
    llvm::erase_if(numbers, [&](int64_t number) {
      Operation *op = find(number);
      return !op || !matches(op, schedule);
    });
    for (int64_t number : numbers)
      attempt({number, &schedule, {}});
  }
}

bool FunctionScheduler::matches(Operation *op, const Schedule &schedule) {
  ErrorCatcher quiet(op->getContext());
  bool matched = llvm::any_of(
      schedule.matchers, [&](transform::NamedSequenceOp matcher) {
        return succeeded(transform::applyTransforms(
            op, matcher, {}, transform::TransformOptions(),
            /*enforceToplevelTransformOp=*/false));
      });
  op->removeAttr((kRootPrefix + schedule.key).str());
  return matched;
}

void FunctionScheduler::attempt(const Job &job) {
  const Schedule &schedule = *job.schedule;
  if (failing.contains(schedule.key))
    return;
  if (!find(job.root)) {
    someGone = true;
    emitRemark(ops.getPlace(job.root))
        << "gone: another schedule took or replaced it before @schedule_"
        << schedule.key << " (" << schedule.label << ") was applied";
    return;
  }
  emitRemark(ops.getPlace(job.root)) << "matched by @schedule_" << schedule.key
                                   << " (" << schedule.label << ")";
  std::string reason;
  if (succeeded(applyToCopy(job)) || succeeded(applyInPlace(job, reason))) {
    ++scheduled;
    return;
  }
  failing.insert(schedule.key);
  emitRemark(function.getLoc())
      << "restored: @schedule_" << schedule.key << " (" << schedule.label
      << ") failed in this function: " << reason;
}

LogicalResult FunctionScheduler::applyToCopy(const Job &job) {
  SmallVector<Operation *> members = llvm::map_to_vector(
      job.members, [&](int64_t number) { return find(number); });
  if (members.empty() || llvm::is_contained(members, nullptr))
    return failure();
  ErrorCatcher quiet(function.getContext());
  TaskCopy copy(members);
  copy.getModule().walk([](Operation *op) { removeOurs(op); });
  if (library.isShared())
    copy.getModule().walk(partEmpties);
  if (failed(applyTo(copy.getRoot(), *job.schedule)) ||
      failed(verify(copy.getModule())))
    return failure();
  copy.getModule().walk([](Operation *op) { removeOurs(op); });
  auto erased = copy.putBack();
  if (failed(erased))
    return failure();
  for (auto [number, op] : llvm::zip_equal(job.members, members))
    if (llvm::is_contained(*erased, op))
      ops.replaced(number);
  return success();
}

LogicalResult FunctionScheduler::applyInPlace(const Job &job,
                                              std::string &reason) {
  auto copy = cast<func::FuncOp>(function->clone());
  ErrorCatcher errors(function.getContext());
  partFills(function, kOpAttr);
  if (library.isShared())
    partEmpties(function);
  ops.forgetPlaces();
  if (succeeded(applyInPlace(find(job.root), *job.schedule))) {
    copy->erase();
    return success();
  }
  reason = function ? errors.getText() : "it erases the function";
  putBack(copy);
  return failure();
}

LogicalResult FunctionScheduler::applyInPlace(Operation *root,
                                              const Schedule &schedule) {
  root->removeAttr(kOpAttr);
  root->removeAttr(kWorkloadAttr);
  LogicalResult result = applyTo(root, schedule);
  ops.forgetPlaces();
  function = relocate();
  if (failed(result) || !function)
    return failure();
  eraseDead(function);
  return verify(function);
}

void FunctionScheduler::putBack(func::FuncOp copy) {
  if (function) {
    OpBuilder(function).insert(copy);
    function->erase();
  } else {
    module.getBody()->push_back(copy);
  }
  function = copy;
  ops.forgetPlaces();
}

/// The function of the number, which a schedule may have replaced.
func::FuncOp FunctionScheduler::relocate() {
  func::FuncOp found;
  visitFunctions(module, [&](func::FuncOp candidate) {
    auto number = candidate->getAttrOfType<IntegerAttr>(kFunctionAttr);
    if (number && number.getInt() == functionNumber && !candidate.isExternal())
      found = candidate;
    return bool(found);
  });
  return found;
}

Operation *FunctionScheduler::find(int64_t number) {
  return ops.inPlace(function).lookup(number);
}

void FunctionScheduler::tellLeft() {
  for (int64_t number = 0, count = ops.size(); number < count; ++number)
    if (Operation *op = find(number);
        op && isa<linalg::LinalgOp>(op) && !op->hasAttr(kBorderAttr))
      emitRemark(ops.getPlace(number))
          << "left as it was: no schedule of this library was applied to it";
}

} // namespace harl
