//===- Workloads.cpp - The tunable ops of a function ----------------------===//

#include "harl/Workloads.h"

using namespace mlir;

namespace harl {

SmallVector<Workload> findWorkloads(func::FuncOp function) { return {}; }

} // namespace harl
