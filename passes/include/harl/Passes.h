//===- Passes.h - The passes of harl_mlir -----------------------*- C++ -*-===//
//
// `createXPass` for every pass of Passes.td, with an options struct where a
// pass has options, and their registration.
//
//===----------------------------------------------------------------------===//

#ifndef HARL_PASSES_H
#define HARL_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

#include <memory>
#include <string>

namespace harl {

#define GEN_PASS_DECL
#include "harl/Passes.h.inc"

/// Registers what the passes and the schedules they apply use: dialects, the
/// interfaces of their ops, and the ops of the transform dialect.
void registerHarlDialects(mlir::DialectRegistry &registry);

/// Registers all passes and pipelines with MLIR's pass registry, once a process.
void registerHarlPasses();

} // namespace harl

#endif // HARL_PASSES_H
