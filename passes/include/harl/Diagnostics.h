//===- Diagnostics.h - Errors as text ---------------------------*- C++ -*-===//

#ifndef HARL_DIAGNOSTICS_H
#define HARL_DIAGNOSTICS_H

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Location.h"

#include <optional>
#include <string>

namespace harl {

/// While it lives, errors of this thread are kept and not shown; remarks and
/// warnings are shown.
class ErrorCatcher {
public:
  explicit ErrorCatcher(mlir::MLIRContext *context);

  /// The first error in one line, with its notes; empty if there was none.
  const std::string &getMessage() const { return message; }
  /// Where the first error was.
  std::optional<mlir::Location> getLocation() const { return location; }
  /// The message, and where it has one its place: `FILE:LINE:COLUMN: message`.
  std::string getText() const;

private:
  void keep(mlir::Diagnostic &diagnostic);

  uint64_t thread;
  std::string message;
  std::optional<mlir::Location> location;
  mlir::ScopedDiagnosticHandler handler;
};

} // namespace harl

#endif // HARL_DIAGNOSTICS_H
