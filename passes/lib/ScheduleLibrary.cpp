//===- ScheduleLibrary.cpp - Reading a schedule library -------------------===//

#include "harl/ScheduleLibrary.h"
#include "harl/Diagnostics.h"

#include "mlir/Dialect/Linalg/TransformOps/LinalgTransformOps.h"
#include "mlir/Dialect/Transform/IR/TransformDialect.h"
#include "mlir/Dialect/Transform/Interfaces/TransformInterfaces.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Support/FileUtilities.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;

namespace harl {

static constexpr StringLiteral kMain =
    transform::TransformDialect::kTransformEntryPointSymbolName;
static constexpr StringLiteral kSchedulePrefix = "schedule_";
static constexpr StringLiteral kApplyPrefix = "apply_";
static constexpr StringLiteral kReadOnly =
    transform::TransformDialect::kArgReadOnlyAttrName;
static constexpr StringLiteral kLabelAttr = "harl.label";
static constexpr StringLiteral kThreadsAttr = "harl.threads";
static constexpr StringLiteral kMatchedAsAttr = "harl.matched_as";

/// Whether a sequence has a body that takes a single op.
static bool takesOneOp(transform::NamedSequenceOp sequence) {
  if (sequence.getBody().empty() || sequence.getNumArguments() != 1)
    return false;
  return isa<transform::TransformHandleTypeInterface>(
      sequence.getArgumentTypes().front());
}

/// MLIR's interpreter crashes on ops that are no steps, as a pattern is outside
/// of `transform.apply_patterns`; its verifier lets them pass.
static LogicalResult checkSteps(transform::NamedSequenceOp sequence) {
  WalkResult result = sequence.walk([&](Operation *op) {
    Operation *parent = op->getParentOp();
    if (op == sequence || isa<transform::TransformOpInterface>(op) ||
        op->hasTrait<OpTrait::IsTerminator>() ||
        !isa<transform::TransformOpInterface>(parent) ||
        isa<transform::ApplyPatternsOp,
            transform::ApplyConversionPatternsOp>(parent))
      return WalkResult::advance();
    emitError(op->getLoc()) << op->getName()
                            << " is no step of a transform sequence; take it "
                               "out, or tune the kernel again";
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

static OwningOpRef<ModuleOp> parse(StringRef file, MLIRContext *context) {
  Location place = FileLineColLoc::get(context, file, 0, 0);
  std::string reason;
  auto buffer = openInputFile(file, &reason);
  if (!buffer) {
    emitError(place) << "the schedule library cannot be read: " << reason
                     << "; give a file that `harl-mlir tune` wrote";
    return {};
  }
  if (buffer->getBuffer().trim().empty()) {
    emitError(place) << "the file is empty; give a transform module";
    return {};
  }
  auto manager = std::make_shared<llvm::SourceMgr>();
  manager->AddNewSourceBuffer(std::move(buffer), llvm::SMLoc());
  OwningOpRef<ModuleOp> module;
  std::string message;
  {
    ErrorCatcher errors(context);
    module = parseSourceFile<ModuleOp>(manager, ParserConfig(context));
    message = errors.getMessage();
    if (errors.getLocation())
      place = *errors.getLocation();
  }
  if (!module)
    emitError(place) << "not valid MLIR: " << message;
  return module;
}

std::unique_ptr<ScheduleLibrary>
ScheduleLibrary::load(StringRef file, MLIRContext *context) {
  auto loaded = std::make_unique<ScheduleLibrary>();
  loaded->file = file.str();
  loaded->module = parse(file, context);
  if (!loaded->module || failed(loaded->check()))
    return nullptr;
  return loaded;
}

bool ScheduleLibrary::isShared() const {
  auto threads = (*module)->getAttrOfType<IntegerAttr>(kThreadsAttr);
  return library && threads && threads.getInt() > 1;
}

LogicalResult ScheduleLibrary::check() {
  for (auto sequence : module->getOps<transform::NamedSequenceOp>()) {
    if (failed(checkSteps(sequence)))
      return failure();
    sequences[sequence.getSymName()] = sequence;
  }
  main = sequences.lookup(kMain);
  Location place = FileLineColLoc::get(module->getContext(), file, 0, 0);
  Attribute version = (*module)->getAttr(kLibraryAttr);
  if (version) {
    auto number = dyn_cast<IntegerAttr>(version);
    if (!number || number.getValue() != kLibraryVersion)
      return emitError(place)
             << "this schedule library is of version " << version << ", not "
             << kLibraryVersion << "; tune the kernel again";
    library = true;
    return readSchedules();
  }
  if (!main)
    return emitError(place)
           << "no transform.named_sequence @" << kMain
           << " is here; give a transform module that has one";
  if (!takesOneOp(main))
    return emitError(main.getLoc())
           << "@" << kMain << " must have a body that takes one op; write it so";
  return success();
}

LogicalResult ScheduleLibrary::readSchedules() {
  for (auto sequence : module->getOps<transform::NamedSequenceOp>()) {
    StringRef key = sequence.getSymName();
    if (!key.consume_front(kSchedulePrefix))
      continue;
    if (!takesOneOp(sequence))
      return emitError(sequence.getLoc())
             << "@" << sequence.getSymName()
             << " must have a body that takes one op; tune the kernel again";
    Schedule &schedule = schedules[key];
    schedule.key = key.str();
    schedule.sequence = sequence;
    if (auto label = sequence->getAttrOfType<StringAttr>(kLabelAttr))
      schedule.label = label.str();
    if (auto other = sequence->getAttrOfType<FlatSymbolRefAttr>(kMatchedAsAttr)) {
      StringRef target = other.getValue();
      if (target.consume_front(kSchedulePrefix))
        matchedAs[key] = target.str();
    }
  }
  readMatchers();
  return success();
}

/// `@__transform_main` tells what is matched, and in which order.
void ScheduleLibrary::readMatchers() {
  if (!main || main.getBody().empty())
    return;
  for (auto include : main.getBody().front().getOps<transform::IncludeOp>()) {
    StringRef key = include.getTarget().getLeafReference().getValue();
    if (!key.consume_front(kApplyPrefix))
      continue;
    auto found = schedules.find(key);
    if (found == schedules.end() || !found->second.matchers.empty())
      continue;
    Schedule &schedule = found->second;
    for (unsigned number = 0;; ++number) {
      auto matcher = sequences.lookup(
          ("match_" + key + "_" + Twine(number)).str());
      if (!matcher || !takesOneOp(matcher) || !matcher.getArgAttr(0, kReadOnly))
        break;
      schedule.matchers.push_back(matcher);
    }
    if (schedule.matchers.empty())
      continue;
    matched.push_back(&schedule);
    indexMatcher(matched.size() - 1);
  }
}

/// `@find_KEY` looks for ops by name and operand types before anything else is
/// compared.
void ScheduleLibrary::indexMatcher(unsigned position) {
  auto find = sequences.lookup("find_" + matched[position]->key);
  SmallVector<Signature> signatures;
  bool known = bool(find);
  if (find)
    find.walk([&](transform::MatchOp match) {
      ArrayAttr names = match.getOpsAttr();
      ArrayAttr types = match.getFilterOperandTypesAttr();
      known &= names && types;
      if (!known)
        return;
      for (Attribute name : names)
        signatures.push_back({name, types});
    });
  if (!known || signatures.empty()) {
    anyOp.push_back(position);
    return;
  }
  llvm::SmallSetVector<Signature, 4> distinct(signatures.begin(),
                                              signatures.end());
  for (const Signature &signature : distinct)
    bySignature[signature].push_back(position);
}

bool ScheduleLibrary::isStrict() const {
  auto accuracy = (*module)->getAttrOfType<StringAttr>(kAccuracyAttr);
  return accuracy && accuracy.getValue() == "strict";
}

const Schedule *ScheduleLibrary::lookup(StringRef key) const {
  auto found = schedules.find(key);
  if (found == schedules.end())
    return nullptr;
  auto other = matchedAs.find(key);
  if (other != matchedAs.end()) {
    auto first = schedules.find(other->second);
    if (first != schedules.end())
      return &first->second;
  }
  return &found->second;
}

SmallVector<unsigned> ScheduleLibrary::mayMatch(Operation *op) const {
  Builder builder(op->getContext());
  Attribute name = builder.getStringAttr(op->getName().getStringRef());
  SmallVector<Type> types(op->getOperandTypes());
  SmallVector<unsigned> found(anyOp);
  auto add = [&](ArrayRef<Type> wanted) {
    auto known = bySignature.find({name, builder.getTypeArrayAttr(wanted)});
    if (known != bySignature.end())
      llvm::append_range(found, known->second);
  };
  add(types);
  // A single type stands for that of all operands.
  if (types.size() > 1 && llvm::all_equal(types))
    add(types.front());
  llvm::sort(found);
  found.erase(llvm::unique(found), found.end());
  return found;
}

} // namespace harl
