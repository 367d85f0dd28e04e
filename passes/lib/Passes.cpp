//===- Passes.cpp - Registration ------------------------------------------===//

#include "harl/Passes.h"
#include "harl/Pipelines.h"

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"

namespace harl {

namespace generated {
#define GEN_PASS_REGISTRATION
#include "harl/Passes.h.inc"
} // namespace generated

void registerHarlPasses() {
  generated::registerHarlPasses();
  registerHarlPipelines();
}

void registerHarlDialects(mlir::DialectRegistry &registry) {
  // More than is needed; what is not used costs nothing.
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
}

} // namespace harl
