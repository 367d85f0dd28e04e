//===- HarlPasses.cpp - The plugin for mlir-opt ---------------------------===//
//
// mlir-opt --load-pass-plugin=HarlPasses.so
//     --pass-pipeline='builtin.module(harl-annotate-workloads)' FILE
//
//===----------------------------------------------------------------------===//

#include "harl/Passes.h"

#include "mlir/Tools/Plugins/PassPlugin.h"

extern "C" LLVM_ATTRIBUTE_WEAK ::mlir::PassPluginLibraryInfo
mlirGetPassPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "HarlPasses", HARL_VERSION,
          [] { harl::registerHarlPasses(); }};
}
