// Applies a schedule library to a kernel and lowers it, in a pass manager of this program's own:
// schedule KERNEL LIBRARY > LOWERED.
#include "harl/Passes.h"
#include "harl/Pipelines.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/raw_ostream.h"

int main(int argc, char **argv) {
  if (argc != 3) {
    llvm::errs() << "usage: schedule KERNEL LIBRARY\n";
    return 2;
  }
  mlir::DialectRegistry registry;
  harl::registerHarlDialects(registry);
  mlir::MLIRContext context(registry);
  auto module = mlir::parseSourceFile<mlir::ModuleOp>(argv[1], &context);
  if (!module)
    return 1;
  mlir::PassManager manager(&context);
  harl::ApplySchedulesPassOptions apply;
  apply.library = argv[2];
  apply.failIfNone = true;
  manager.addPass(harl::createApplySchedulesPass(apply));
  harl::LowerToLLVMOptions lower;
  lower.accuracy = harl::Accuracy::strict;
  harl::buildLowerToLLVMPipeline(manager, lower);
  if (mlir::failed(manager.run(*module)))
    return 1;
  llvm::outs() << *module << "\n";
  return 0;
}
