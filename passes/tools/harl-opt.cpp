//===- harl-opt.cpp - mlir-opt with the passes of harl_mlir ---------------===//

#include "harl/Passes.h"

#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::registerAllPasses();
  harl::registerHarlPasses();
  mlir::DialectRegistry registry;
  harl::registerHarlDialects(registry);
  return mlir::asMainReturnCode(mlir::MlirOptMain(
      argc, argv, "mlir-opt with the passes of harl_mlir\n", registry));
}
