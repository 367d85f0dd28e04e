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
#include "llvm/Support/CommandLine.h"

#include <memory>
#include <string>

namespace harl {

/// The instruction set for which the system's vector math library is called.
enum class VectorMath { none, sse, avx, avx2, avx512 };

/// The values of an option for it.
inline llvm::cl::ValuesClass vectorMathValues() {
  return llvm::cl::values(clEnumValN(VectorMath::none, "none", "no calls"),
                          clEnumValN(VectorMath::sse, "sse", "SSE2"),
                          clEnumValN(VectorMath::avx, "avx", "AVX"),
                          clEnumValN(VectorMath::avx2, "avx2", "AVX2"),
                          clEnumValN(VectorMath::avx512, "avx512", "AVX-512"));
}

/// On an `scf.forall` that one thread runs, whatever the others do.
inline constexpr llvm::StringLiteral kAloneAttr = "harl.alone";

#define GEN_PASS_DECL
#include "harl/Passes.h.inc"

/// Registers what the passes and the schedules they apply use: dialects, the
/// interfaces of their ops, and the ops of the transform dialect.
void registerHarlDialects(mlir::DialectRegistry &registry);

/// Registers all passes and pipelines with MLIR's pass registry, once a process.
void registerHarlPasses();

} // namespace harl

#endif // HARL_PASSES_H
