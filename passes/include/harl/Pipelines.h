//===- Pipelines.h - The pipelines of harl_mlir -----------------*- C++ -*-===//
//
// Both run on a module: `builtin.module(harl-default{library=FILE})`.
//
//===----------------------------------------------------------------------===//

#ifndef HARL_PIPELINES_H
#define HARL_PIPELINES_H

#include "harl/Passes.h"

#include "mlir/Pass/PassOptions.h"

namespace harl {

/// What may be done to floating-point arithmetic; the words are those of
/// `harl-mlir tune --accuracy`.
enum class Accuracy {
  /// Nothing: results are those of the untuned function bit for bit.
  strict,
  /// Sums in any order, multiplications and additions contracted.
  reassociate,
  /// As reassociate; exp, log, tanh and erf of f32 are polynomials.
  approximate,
};

/// The values of an `accuracy` option.
inline llvm::cl::ValuesClass accuracyValues() {
  return llvm::cl::values(
      clEnumValN(Accuracy::strict, "strict", "nothing; results are exact"),
      clEnumValN(Accuracy::reassociate, "reassociate",
                 "reductions in any order, contraction"),
      clEnumValN(Accuracy::approximate, "approximate",
                 "also polynomials for exp, log, tanh, erf"));
}

struct LowerToLLVMOptions
    : public mlir::PassPipelineOptions<LowerToLLVMOptions> {
  Option<Accuracy> accuracy{
      *this, "accuracy",
      llvm::cl::desc("What may be done to floating-point arithmetic"),
      llvm::cl::init(Accuracy::reassociate), accuracyValues()};
  Option<VectorMath> vectorMath{
      *this, "vector-math",
      llvm::cl::desc("Instruction set for which libmvec is called"),
      llvm::cl::init(VectorMath::none), vectorMathValues()};
  Option<bool> bf16Dots{
      *this, "bf16-dots",
      llvm::cl::desc("The processor has AVX512-BF16: use its dot products"),
      llvm::cl::init(false)};
  Option<bool> i8Dots{
      *this, "i8-dots",
      llvm::cl::desc("The processor has AVX512-VNNI: use its dot products"),
      llvm::cl::init(false)};
  Option<bool> avx512{
      *this, "avx512",
      llvm::cl::desc("The processor has AVX-512: scale by its vscalefps"),
      llvm::cl::init(false)};
  Option<unsigned> threads{
      *this, "threads",
      llvm::cl::desc("Threads of an OpenMP runtime that share outer loops"),
      llvm::cl::init(1)};
};

struct DefaultOptions : public LowerToLLVMOptions {
  Option<std::string> library{
      *this, "library", llvm::cl::desc("File with the schedule library")};
  Option<bool> failIfNone{
      *this, "fail-if-none",
      llvm::cl::desc("Fail if no schedule of the library was applied"),
      llvm::cl::init(false)};
};

/// `harl-lower-to-llvm`: the one lowering that kernels are measured with, from
/// linalg and vectors on tensors to the LLVM dialect; what it makes calls
/// nothing beyond libc and libm and, with `vector-math`, libmvec. With
/// several `threads` it calls an OpenMP runtime of LLVM's kind, and the ops of
/// the OpenMP dialect are left for the translation to LLVM IR.
///
/// Functions return nothing afterwards but scalars: a tensor result becomes a
/// parameter after the others, to which the caller passes a buffer (calls in
/// the module are changed with it). A private function has no such parameter
/// for a result that was computed in place in an argument. A public one keeps
/// it, since callers elsewhere may want it, and fills it by a copy; make a
/// function private to save the copy.
void buildLowerToLLVMPipeline(mlir::OpPassManager &manager,
                              const LowerToLLVMOptions &options);

/// `harl-default`: `harl-apply-schedules`, then `harl-lower-to-llvm`.
void buildDefaultPipeline(mlir::OpPassManager &manager,
                          const DefaultOptions &options);

/// Registers both by name; `registerHarlPasses` does so too.
void registerHarlPipelines();

} // namespace harl

#endif // HARL_PIPELINES_H
