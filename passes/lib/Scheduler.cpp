//===- Scheduler.cpp - Applying a schedule library to a function ----------===//

#include "harl/Scheduler.h"
#include "Fills.h"
#include "RowForms.h"
#include "harl/Diagnostics.h"
#include "harl/Passes.h"
#include "harl/TaskCopy.h"
#include "harl/Workloads.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Transform/Interfaces/TransformInterfaces.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/RegionUtils.h"

#include <algorithm>
#include <map>

using namespace mlir;

namespace harl {

/// A linalg op's number.
static constexpr StringLiteral kOpAttr = "harl.op";
/// On ops of the program that hold a numbered op.
static constexpr StringLiteral kAroundAttr = "harl.around";
/// A function's number.
static constexpr StringLiteral kFunctionAttr = "harl.function";
/// By which a library's matchers tag a root.
static constexpr StringLiteral kRootPrefix = "harl.root_";
static constexpr StringLiteral kOursPrefix = "harl.";
/// For the lowering.
static constexpr StringLiteral kStreamedAttr = "harl.streamed";
static constexpr StringLiteral kLanesAttr = "harl.lanes";

/// Calls `visit` for the ops of a region that are where the program had them.
static void visitInPlace(Region &region,
                         llvm::function_ref<void(Operation &)> visit) {
  for (Block &block : region)
    for (Operation &op : block) {
      visit(op);
      if (op.hasAttr(kAroundAttr))
        for (Region &inner : op.getRegions())
          visitInPlace(inner, visit);
    }
}

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

static void removeOurs(Operation *op) {
  SmallVector<StringAttr> ours;
  for (NamedAttribute attribute : op->getDiscardableAttrs())
    if (attribute.getName().strref().starts_with(kOursPrefix) &&
        attribute.getName() != kStreamedAttr &&
        attribute.getName() != kLanesAttr &&
        attribute.getName() != kAloneAttr)
      ours.push_back(attribute.getName());
  for (StringAttr name : ours)
    op->removeDiscardableAttr(name);
}

/// Tiling leaves the ops it has replaced behind, unused, and they use others.
static void eraseDead(func::FuncOp function) {
  SmallVector<Operation *> ops;
  visitInPlace(function.getBody(), [&](Operation &op) { ops.push_back(&op); });
  // Users come after what they use.
  for (Operation *op : llvm::reverse(ops))
    if (isOpTriviallyDead(op))
      op->erase();
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
  normaliseRows(function, library.isStrict());
  mark();
  applyByKey(/*again=*/false);
  if (someGone)
    applyByKey(/*again=*/true);
  applyByMatchers();
  tellLeft();
  unmark();
  if (scheduled) {
    IRRewriter rewriter(function.getContext());
    (void)runRegionDCE(rewriter, function->getRegions());
  }
  return scheduled;
}

void FunctionScheduler::mark() {
  SmallVector<Operation *> ops;
  function.getBody().walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (isa<linalg::LinalgOp>(op))
      ops.push_back(op);
  });
  for (Operation *op : ops) {
    markOp(op);
    for (Operation *around = op->getParentOp(); around != function;
         around = around->getParentOp())
      around->setAttr(kAroundAttr, UnitAttr::get(op->getContext()));
  }
}

void FunctionScheduler::markOp(Operation *op) {
  int64_t number = seen.size();
  seen.push_back({op->getLoc(), SmallVector<Type>(op->getOperandTypes())});
  op->setAttr(kOpAttr, Builder(op->getContext()).getI64IntegerAttr(number));
  placedIsValid = false;
}

/// An op's number, or -1.
static int64_t numberOf(Operation *op) {
  auto number = op->getAttrOfType<IntegerAttr>(kOpAttr);
  return number ? number.getInt() : -1;
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
        markOp(member);
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
  for (auto [number, op] : inPlace())
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
    emitRemark(seen[job.root].place)
        << "gone: another schedule took or replaced it before @schedule_"
        << schedule.key << " (" << schedule.label << ") was applied";
    return;
  }
  emitRemark(seen[job.root].place) << "matched by @schedule_" << schedule.key
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
      placed.erase(number);
  return success();
}

LogicalResult FunctionScheduler::applyInPlace(const Job &job,
                                              std::string &reason) {
  auto copy = cast<func::FuncOp>(function->clone());
  ErrorCatcher errors(function.getContext());
  partFills(function, kOpAttr);
  if (library.isShared())
    partEmpties(function);
  placedIsValid = false;
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
  placedIsValid = false;
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
  placedIsValid = false;
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

const llvm::DenseMap<int64_t, Operation *> &FunctionScheduler::inPlace() {
  if (placedIsValid)
    return placed;
  placed.clear();
  llvm::SmallDenseSet<int64_t> twice;
  visitInPlace(function.getBody(), [&](Operation &op) {
    auto number = op.getAttrOfType<IntegerAttr>(kOpAttr);
    if (!number || !isa<linalg::LinalgOp>(op))
      return;
    int64_t value = number.getInt();
    // A mark copied to another op, as a neighbour was split or padded.
    bool same = value >= 0 && value < int64_t(seen.size()) &&
                llvm::equal(seen[value].types, op.getOperandTypes());
    if (same && !placed.try_emplace(value, &op).second)
      twice.insert(value);
  });
  for (int64_t number : twice)
    placed.erase(number);
  placedIsValid = true;
  return placed;
}

Operation *FunctionScheduler::find(int64_t number) {
  return inPlace().lookup(number);
}

void FunctionScheduler::tellLeft() {
  for (int64_t number = 0, count = seen.size(); number < count; ++number)
    if (find(number))
      emitRemark(seen[number].place)
          << "left as it was: no schedule of this library was applied to it";
}

/// What is where it was keeps the attributes it came with.
void FunctionScheduler::unmark() {
  function->removeAttr(kFunctionAttr);
  SmallVector<Operation *> made;
  visitInPlace(function.getBody(), [&](Operation &op) {
    bool here = op.hasAttr(kOpAttr) || op.hasAttr(kAroundAttr);
    op.removeAttr(kOpAttr);
    if (!here && (isa<linalg::LinalgOp>(op) || op.getNumRegions()))
      made.push_back(&op);
  });
  function.walk([](Operation *op) { op->removeAttr(kAroundAttr); });
  if (!scheduled)
    return;
  for (Operation *op : made)
    op->walk(removeOurs);
}

} // namespace harl
