//===- FoldedBodies.cpp - Bodies that compute nothing ---------------------===//
//
// A port of harl_mlir/frontend/folded_bodies.py.
//
//===----------------------------------------------------------------------===//

#include "Normalise.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace harl {

static bool isElementwise(linalg::GenericOp op) {
  return op->getNumResults() == 1 &&
         op.getNumParallelLoops() == op.getNumLoops();
}

//===----------------------------------------------------------------------===//
// Bodies
//===----------------------------------------------------------------------===//

/// The body as a function of its own at the end of `module`; null where it has
/// no ops, or others than of `arith` (of `math`, versions of MLIR fold different
/// constants), or takes more from outside than constants.
static func::FuncOp asFunction(linalg::GenericOp op, ModuleOp module) {
  Block *body = op.getBody();
  Operation *end = body->getTerminator();
  bool isArith = llvm::all_of(body->without_terminator(), [](Operation &inner) {
    return isa_and_present<arith::ArithDialect>(inner.getDialect());
  });
  if (body->without_terminator().empty() || !isArith)
    return nullptr;
  SmallVector<Operation *> outside;
  for (Operation &inner : *body)
    for (Value value : inner.getOperands()) {
      if (value.getParentBlock() == body)
        continue;
      if (!value.getDefiningOp<arith::ConstantOp>())
        return nullptr;
      outside.push_back(value.getDefiningOp());
    }

  auto builder = OpBuilder::atBlockEnd(module.getBody());
  auto type = builder.getFunctionType(body->getArgumentTypes(),
                                      end->getOperand(0).getType());
  auto made = func::FuncOp::create(builder, op.getLoc(), "body", type);
  Block *entry = made.addEntryBlock();
  builder.setInsertionPointToStart(entry);
  IRMapping values;
  values.map(body->getArguments(), entry->getArguments());
  for (Operation *constant : outside)
    builder.clone(*constant, values);
  for (Operation &inner : body->without_terminator())
    builder.clone(inner, values);
  func::ReturnOp::create(builder, op.getLoc(),
                         values.lookup(end->getOperand(0)));
  return made;
}

/// Has a body yield an argument, or a constant, and nothing else; left alone for
/// other values.
static void yield(linalg::GenericOp op, Value value) {
  Block *body = op.getBody();
  Operation *end = body->getTerminator();
  if (auto argument = dyn_cast<BlockArgument>(value))
    end->setOperand(0, body->getArgument(argument.getArgNumber()));
  else if (value.getDefiningOp<arith::ConstantOp>())
    end->setOperand(0, OpBuilder(end).clone(*value.getDefiningOp())->getResult(0));
  else
    return;
  SmallVector<Operation *> dead;
  for (Operation &inner : body->without_terminator())
    if (&inner != end->getOperand(0).getDefiningOp())
      dead.push_back(&inner);
  for (Operation *inner : llvm::reverse(dead))
    inner->erase();
}

static void canonicalize(ModuleOp module) {
  MLIRContext *context = module.getContext();
  RewritePatternSet patterns(context);
  for (Dialect *dialect : context->getLoadedDialects())
    dialect->getCanonicalizationPatterns(patterns);
  for (RegisteredOperationName name : context->getRegisteredOperations())
    name.getCanonicalizationPatterns(patterns, context);
  (void)applyPatternsGreedily(module, std::move(patterns));
}

/// Asks MLIR what the bodies yield, all at once: to collect its patterns takes
/// longer than to look at a body.
static void fold(ArrayRef<linalg::GenericOp> ops, Location place) {
  OwningOpRef<ModuleOp> scratch = ModuleOp::create(place);
  SmallVector<std::pair<linalg::GenericOp, func::FuncOp>> asked;
  for (linalg::GenericOp op : ops)
    if (func::FuncOp body = asFunction(op, *scratch))
      asked.emplace_back(op, body);
  if (asked.empty())
    return;
  canonicalize(*scratch);
  for (auto [op, body] : asked)
    yield(op, body.getBody().front().getTerminator()->getOperand(0));
}

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

/// Erases a copy of what another linalg op computes to where it is: its users
/// take that.
static void dropCopy(linalg::GenericOp op) {
  Operation *end = op.getBody()->getTerminator();
  auto copied = dyn_cast<BlockArgument>(end->getOperand(0));
  if (!copied || copied.getOwner() != op.getBody() ||
      end != &op.getBody()->front())
    return;
  OpOperand &given = op->getOpOperand(copied.getArgNumber());
  auto maker = given.get().getDefiningOp<linalg::LinalgOp>();
  if (!maker || isa<linalg::FillOp>(maker) ||
      given.get().getType() != op->getResult(0).getType() ||
      op.getMatchingIndexingMap(&given) !=
          op.getMatchingIndexingMap(op.getDpsInitOperand(0)))
    return;
  op->getResult(0).replaceAllUsesWith(given.get());
  op.erase();
}

void foldBodies(func::FuncOp function) {
  if (!function.getBody().hasOneBlock())
    return;
  auto generics = llvm::filter_to_vector(
      function.getOps<linalg::GenericOp>(), isElementwise);
  fold(generics, function.getLoc());
  for (linalg::GenericOp op : generics)
    dropCopy(op);
}

} // namespace harl
