//===- Normalise.cpp - harl-normalize -------------------------------------===//

#include "Normalise.h"
#include "Fills.h"
#include "RowForms.h"
#include "harl/Passes.h"

using namespace mlir;

namespace harl {

#define GEN_PASS_DEF_NORMALIZEPASS
#include "harl/Passes.h.inc"

void normalise(func::FuncOp function, bool strict) {
  foldPermutations(function);
  writeCopies(function);
  normaliseRows(function, strict);
}

namespace {

struct Normalize : public impl::NormalizePassBase<Normalize> {
  using NormalizePassBase::NormalizePassBase;

  void runOnOperation() override {
    normalise(getOperation(), strict);
    partFills(getOperation(), "");
  }
};

} // namespace

} // namespace harl
