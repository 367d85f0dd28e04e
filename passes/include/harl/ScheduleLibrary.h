//===- ScheduleLibrary.h - A schedule library, read -------------*- C++ -*-===//
//
// What harl_mlir/schedule/library.py writes: for each task its schedule
// `@schedule_KEY`, and sequences that match the roots it fits.
//
//===----------------------------------------------------------------------===//

#ifndef HARL_SCHEDULELIBRARY_H
#define HARL_SCHEDULELIBRARY_H

#include "mlir/Dialect/Transform/IR/TransformOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"

#include <memory>
#include <string>

namespace harl {

/// The module attribute that says that a transform module is a schedule
/// library, and the version of its form that is read here.
inline constexpr llvm::StringLiteral kLibraryAttr = "harl.library";
inline constexpr int64_t kLibraryVersion = 1;
/// The module attribute that holds the accuracy a library was tuned under.
inline constexpr llvm::StringLiteral kAccuracyAttr = "harl.accuracy";

/// A schedule and what recognises the ops it fits.
struct Schedule {
  /// The workload key, of the sequence `@schedule_KEY`.
  std::string key;
  /// What the task is, for people.
  std::string label;
  mlir::transform::NamedSequenceOp sequence;
  /// `@match_KEY_N`: each succeeds on the root of the task, for one spelling.
  llvm::SmallVector<mlir::transform::NamedSequenceOp> matchers;
};

/// A transform module, parsed and checked.
class ScheduleLibrary {
public:
  /// Reads a file. If it is no transform module that can be applied, says why
  /// in one error and gives null.
  static std::unique_ptr<ScheduleLibrary> load(llvm::StringRef file,
                                               mlir::MLIRContext *context);

  /// Whether it is a schedule library. Another transform module is run as a
  /// whole, from `main()`.
  bool isLibrary() const { return library; }
  /// Whether its schedules were tuned under `strict` accuracy.
  bool isStrict() const;

  /// Whether its schedules were tuned for several threads.
  bool isShared() const;

  mlir::ModuleOp getModule() const { return *module; }
  llvm::StringRef getFile() const { return file; }

  /// `@__transform_main`, or null in a library that has none.
  mlir::transform::NamedSequenceOp getMain() const { return main; }

  /// The schedule for a workload key, or null. Where a task cannot be told
  /// from another by a transform script this is the other's (the attribute
  /// `harl.matched_as`), so that whatever applies a library, the same is done.
  const Schedule *lookup(llvm::StringRef key) const;

  /// The schedules that are matched, in the order in which they are tried:
  /// tasks of more ops first.
  llvm::ArrayRef<const Schedule *> getMatched() const { return matched; }

  /// Positions in `getMatched()`, ascending, of those that may fit an op as
  /// far as its name and operand types show.
  llvm::SmallVector<unsigned> mayMatch(mlir::Operation *op) const;

private:
  using Signature = std::pair<mlir::Attribute, mlir::Attribute>;

  mlir::LogicalResult check();
  mlir::LogicalResult readSchedules();
  void readMatchers();
  void indexMatcher(unsigned position);

  std::string file;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  bool library = false;
  mlir::transform::NamedSequenceOp main;
  llvm::StringMap<mlir::transform::NamedSequenceOp> sequences;
  llvm::StringMap<Schedule> schedules;
  llvm::StringMap<std::string> matchedAs;
  llvm::SmallVector<const Schedule *> matched;
  /// Positions in `matched` by op name and operand types, and those of which
  /// nothing is known.
  llvm::DenseMap<Signature, llvm::SmallVector<unsigned>> bySignature;
  llvm::SmallVector<unsigned> anyOp;
};

} // namespace harl

#endif // HARL_SCHEDULELIBRARY_H
