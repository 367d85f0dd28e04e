//===- Permutations.cpp - Permuted operands of contractions ---------------===//
//
// A port of harl_mlir/frontend/permutations.py.
//
//===----------------------------------------------------------------------===//

#include "Chains.h"
#include "LinalgFacts.h"
#include "Normalise.h"

#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/STLExtras.h"

#include <optional>

using namespace mlir;

namespace harl {

static std::optional<LinalgFacts> factsOf(Operation *op) {
  std::string reason;
  FailureOr<LinalgFacts> facts = readFacts(op, reason);
  if (failed(facts))
    return std::nullopt;
  return std::move(*facts);
}

static bool moves(const OperandFacts &operand, unsigned loop) {
  return llvm::any_of(operand.map,
                      [&](const AffineRow &row) { return row[loop] != 0; });
}

/// Whether the loop is one dimension of the operand and enters no other.
static bool isPlainIn(const OperandFacts &operand, unsigned loop) {
  auto isLoop = [&](const AffineRow &row) { return plainLoop(row) == loop; };
  return llvm::count_if(operand.map, [&](const AffineRow &row) {
           return row[loop] != 0;
         }) == 1 &&
         llvm::any_of(operand.map, isLoop);
}

/// Whether it multiplies and adds along a plain loop of both operands, and C's
/// last loop is of one alone.
static bool isContraction(const LinalgFacts &op) {
  if (!isMultiplyAdd(op))
    return false;
  bool plain = false, several = false;
  for (unsigned d = 0; d < op.dims.size(); ++d) {
    if (!op.isReduction[d])
      continue;
    several |= op.dims[d] > 1;
    plain |= isPlainIn(op.operands[0], d) && isPlainIn(op.operands[1], d);
  }
  std::optional<unsigned> last;
  for (const AffineRow &row : op.operands.back().map)
    if (unsigned loop = *plainLoop(row); op.dims[loop] > 1)
      last = loop;
  return plain && several && last &&
         !(moves(op.operands[0], *last) && moves(op.operands[1], *last));
}

/// For each dimension of what an op permutes that of its result; none of other
/// ops.
static SmallVector<unsigned> permutedFrom(Operation *op) {
  if (!isa<linalg::TransposeOp, linalg::GenericOp>(op) ||
      op->getNumOperands() != 2 || op->getNumResults() != 1)
    return {};
  std::optional<LinalgFacts> facts = factsOf(op);
  if (!facts || !facts->isElementwise() || facts->yields != 0 ||
      !facts->body.empty() ||
      facts->operands[0].map.size() != facts->dims.size())
    return {};
  for (auto [d, row] : llvm::enumerate(facts->operands[1].map))
    if (plainLoop(row) != d)
      return {};
  SmallVector<unsigned> loops;
  for (const AffineRow &row : facts->operands[0].map) {
    std::optional<unsigned> loop = plainLoop(row);
    if (!loop || llvm::is_contained(loops, *loop))
      return {};
    loops.push_back(*loop);
  }
  return loops;
}

/// Whether an operand may be read in any order of its dimensions.
static bool takesPermuted(OpOperand &use, Block *block) {
  Operation *op = use.getOwner();
  if (!isa<linalg::LinalgOp>(op) || op->getBlock() != block)
    return false;
  std::optional<LinalgFacts> facts = factsOf(op);
  unsigned number = use.getOperandNumber();
  return facts && isContraction(*facts) &&
         number + 1 < facts->operands.size() &&
         llvm::all_of(facts->operands[number].map, [](const AffineRow &row) {
           return plainLoop(row).has_value();
         });
}

/// Has a contraction read `source` in the place of `result`, which is that
/// permuted.
static void fold(linalg::LinalgOp op, Value result, Value source,
                 ArrayRef<unsigned> permuted) {
  OpBuilder builder(op);
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  SmallVector<Value> inputs = op.getDpsInputs();
  for (auto [input, map] : llvm::zip(inputs, maps)) {
    if (input != result)
      continue;
    input = source;
    SmallVector<AffineExpr> rows;
    for (unsigned dimension : permuted)
      rows.push_back(map.getResult(dimension));
    map = AffineMap::get(map.getNumDims(), 0, rows, builder.getContext());
  }
  Block *given = op.getBlock();
  auto made = linalg::GenericOp::create(
      builder, op.getLoc(), op->getResultTypes(), inputs, op.getDpsInits(),
      maps, op.getIteratorTypesArray(),
      [&](OpBuilder &body, Location, ValueRange numbers) {
        IRMapping values;
        values.map(given->getArguments(), numbers);
        for (Operation &inner : *given)
          body.clone(inner, values);
      });
  op->replaceAllUsesWith(made);
  op->erase();
}

void foldPermutations(func::FuncOp function) {
  if (!function.getBody().hasOneBlock())
    return;
  Block &block = function.getBody().front();
  // From the last to the first, so that of one permutation of another both are
  // folded.
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block))) {
    SmallVector<unsigned> permuted = permutedFrom(&op);
    if (permuted.empty() || op.use_empty() ||
        !llvm::all_of(op.getUses(), [&](OpOperand &use) {
          return takesPermuted(use, &block);
        }))
      continue;
    Value result = op.getResult(0);
    while (!result.use_empty())
      fold(cast<linalg::LinalgOp>(*result.user_begin()), result,
           op.getOperand(0), permuted);
    op.erase();
  }
}

} // namespace harl
