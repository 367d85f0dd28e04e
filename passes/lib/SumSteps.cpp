//===- SumSteps.cpp - What adds to the sums of contractions ---------------===//
//
// As harl_mlir/codegen/unsigned_groups.py does.
//
//===----------------------------------------------------------------------===//

#include "SumSteps.h"

using namespace mlir;

namespace harl {

namespace {

/// A loop as what it adds to a value that it carries; none where it does
/// anything else with that.
std::optional<Step> loopOf(scf::ForOp loop, unsigned number,
                           const Found &found) {
  Value given = loop.getRegionIterArg(number);
  Value left = loop.getBody()->getTerminator()->getOperand(number);
  Way way = wayTo(left, found);
  if (way.steps.empty() || way.start != given || !given.hasOneUse() ||
      !left.hasOneUse())
    return std::nullopt;
  return Step{{}, loop, number, way.steps};
}

} // namespace

Way wayTo(Value value, const Found &found) {
  Way way;
  while (way.steps.empty() || value.hasOneUse()) {
    if (found.contains(value)) {
      GroupContract contract = found.lookup(value);
      way.steps.push_back({contract, {}, 0, {}});
      value = contract.op.getAcc();
      continue;
    }
    auto loop = value.getDefiningOp<scf::ForOp>();
    if (!loop)
      break;
    unsigned number = cast<OpResult>(value).getResultNumber();
    std::optional<Step> step = loopOf(loop, number, found);
    if (!step)
      break;
    way.steps.push_back(*step);
    value = loop.getInitArgs()[number];
  }
  std::reverse(way.steps.begin(), way.steps.end());
  way.start = value;
  return way;
}

Value endOf(Value value, const Found &found) {
  while (value.hasOneUse()) {
    OpOperand &use = *value.getUses().begin();
    Operation *user = use.getOwner();
    unsigned number = use.getOperandNumber();
    if (auto contract = dyn_cast<vector::ContractionOp>(user)) {
      if (contract.getAcc() != value || !found.contains(contract.getResult()))
        break;
      value = contract.getResult();
      continue;
    }
    scf::ForOp loop;
    if (isa<scf::YieldOp>(user)) {
      loop = dyn_cast<scf::ForOp>(user->getParentOp());
    } else {
      loop = dyn_cast<scf::ForOp>(user);
      if (loop && number < loop.getNumControlOperands())
        break;
      number -= loop ? loop.getNumControlOperands() : 0;
    }
    if (!loop || !loopOf(loop, number, found))
      break;
    value = loop.getResult(number);
  }
  return value;
}

SmallVector<GroupContract> contractsOf(const Steps &steps) {
  SmallVector<GroupContract> found;
  for (Step step : steps) {
    if (step.loop)
      llvm::append_range(found, contractsOf(step.steps));
    else
      found.push_back(step.contract);
  }
  return found;
}

SmallVector<scf::ForOp> loopsOf(const Steps &steps) {
  SmallVector<scf::ForOp> found;
  for (Step step : steps) {
    if (!step.loop)
      continue;
    found.push_back(step.loop);
    llvm::append_range(found, loopsOf(step.steps));
  }
  return found;
}

} // namespace harl
