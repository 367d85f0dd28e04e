//===- LinalgFacts.cpp - The loop nest of a linalg op ---------------------===//

#include "LinalgFacts.h"
#include "AttributeText.h"
#include "LinalgBody.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/AffineMap.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/MathExtras.h"

#include <optional>

using namespace mlir;

namespace harl {

bool LinalgFacts::isElementwise() const {
  return !llvm::is_contained(isReduction, true);
}

bool LinalgFacts::isFill() const {
  if (!isElementwise())
    return false;
  if (body.empty())
    return yields + 1 < operands.size() && operands[yields].isScalar;
  return body.size() == 1 && body[0].name == "arith.constant" &&
         yields == operands.size();
}

bool LinalgFacts::readsInit() const {
  unsigned init = operands.size() - 1;
  return yields == init || llvm::any_of(body, [&](const BodyOp &op) {
           return llvm::is_contained(op.operands, init);
         });
}

bool LinalgFacts::hasArithmetic() const {
  static const llvm::StringSet<> free = {
      "arith.constant", "arith.extf",       "arith.truncf", "arith.extsi",
      "arith.extui",    "arith.trunci",     "arith.sitofp", "arith.uitofp",
      "arith.fptosi",   "arith.fptoui",     "arith.bitcast", "arith.index_cast",
      "linalg.index",   "tensor.pad"};
  return llvm::any_of(
      body, [&](const BodyOp &op) { return !free.contains(op.name); });
}

std::optional<unsigned> plainLoop(const AffineRow &row) {
  std::optional<unsigned> loop;
  for (unsigned d = 0; d + 1 < row.size(); ++d) {
    if (row[d] == 0)
      continue;
    if (loop || row[d] != 1)
      return std::nullopt;
    loop = d;
  }
  return row.back() == 0 ? loop : std::nullopt;
}

namespace {

/// Reads one op; the first reason to refuse it ends the reading.
class Reader {
public:
  Reader(Operation *op, std::string &reason) : op(op), reason(reason) {}

  FailureOr<LinalgFacts> read();

private:
  LogicalResult refuse(const llvm::Twine &why) {
    reason = why.str();
    return failure();
  }
  LogicalResult readOperand(Type type, AffineMap map);
  LogicalResult readRow(AffineExpr expression, unsigned loops, AffineRow &row);
  LogicalResult combine(AffineBinaryOpExpr expression, unsigned loops,
                        AffineRow &row);
  LogicalResult readDims(unsigned loops);
  LogicalResult readIterators();

  Operation *op;
  std::string &reason;
  LinalgFacts facts;
};

} // namespace

/// The indexing maps of a structured op, which it is left without having
/// cached in an attribute, where it would show in everything printed.
static SmallVector<AffineMap> indexingMaps(linalg::LinalgOp op) {
  StringRef cache = linalg::LinalgDialect::kMemoizedIndexingMapsAttrName;
  bool had = op->hasAttr(cache);
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  if (!had && op->hasAttr(cache))
    op->removeAttr(cache);
  return maps;
}

FailureOr<LinalgFacts> Reader::read() {
  auto structured = dyn_cast<linalg::LinalgOp>(op);
  if (!structured)
    return refuse(op->getName().getStringRef() +
                  " is not a loop nest; decompose it first");
  if (llvm::any_of(op->getOperandTypes(), llvm::IsaPred<BaseMemRefType>))
    return refuse("it works on memrefs");
  if (op->getNumResults() != 1)
    return refuse("it has several results");
  SmallVector<AffineMap> maps = indexingMaps(structured);
  if (maps.empty() || maps.size() != op->getNumOperands())
    return refuse("it has no indexing map for each operand");
  for (auto [type, map] : llvm::zip_equal(op->getOperandTypes(), maps))
    if (map.getNumDims() != maps[0].getNumDims())
      return refuse("its indexing maps differ in loops");
    else if (failed(readOperand(type, map)))
      return failure();
  if (failed(readDims(maps[0].getNumDims())) || failed(readIterators()))
    return failure();
  if (op->getNumRegions() == 0 || op->getRegion(0).empty())
    return refuse("it has no body");
  if (failed(readBody(op->getRegion(0).front(), facts, reason)))
    return failure();
  return std::move(facts);
}

LogicalResult Reader::readOperand(Type type, AffineMap map) {
  OperandFacts operand;
  Type element = type;
  if (auto tensor = dyn_cast<RankedTensorType>(type)) {
    if (!tensor.hasStaticShape())
      return refuse("it has dynamic shapes");
    if (llvm::is_contained(tensor.getShape(), 0))
      return refuse("it has a dimension of size zero");
    if (tensor.getEncoding())
      return refuse("a tensor has an encoding");
    operand.shape.assign(tensor.getShape().begin(), tensor.getShape().end());
    element = tensor.getElementType();
  } else {
    operand.isScalar = true;
  }
  operand.element = printed(element);
  if (!isSupportedElement(element))
    return refuse("elements of type " + operand.element + " are not supported");
  if (map.getNumSymbols() != 0)
    return refuse("an indexing map has symbols");
  if (map.getNumResults() != operand.shape.size())
    return refuse("an indexing map has another rank than its operand");
  for (AffineExpr expression : map.getResults())
    if (failed(
            readRow(expression, map.getNumDims(), operand.map.emplace_back())))
      return failure();
  facts.operands.push_back(std::move(operand));
  return success();
}

LogicalResult Reader::readRow(AffineExpr expression, unsigned loops,
                              AffineRow &row) {
  row.assign(loops + 1, 0);
  if (auto dim = dyn_cast<AffineDimExpr>(expression))
    row[dim.getPosition()] = 1;
  else if (auto constant = dyn_cast<AffineConstantExpr>(expression))
    row.back() = constant.getValue();
  else if (expression.getKind() == AffineExprKind::Add ||
           expression.getKind() == AffineExprKind::Mul)
    return combine(cast<AffineBinaryOpExpr>(expression), loops, row);
  else
    return refuse("an indexing map divides or takes a remainder");
  return success();
}

LogicalResult Reader::combine(AffineBinaryOpExpr expression, unsigned loops,
                              AffineRow &row) {
  AffineRow left, right;
  if (failed(readRow(expression.getLHS(), loops, left)) ||
      failed(readRow(expression.getRHS(), loops, right)))
    return failure();
  bool isSum = expression.getKind() == AffineExprKind::Add;
  auto isConstant = [](const AffineRow &row) {
    return llvm::all_of(llvm::drop_end(row), [](int64_t c) { return c == 0; });
  };
  if (!isSum && !isConstant(left))
    std::swap(left, right);
  if (!isSum && !isConstant(left))
    return refuse("an indexing map multiplies loops");
  for (auto [result, a, b] : llvm::zip_equal(row, left, right)) {
    bool overflows = isSum ? llvm::AddOverflow(a, b, result)
                           : llvm::MulOverflow(left.back(), b, result);
    if (overflows)
      return refuse("the numbers of an indexing map are too large");
  }
  return success();
}

LogicalResult Reader::readDims(unsigned loops) {
  SmallVector<std::optional<int64_t>> extents(loops);
  for (const OperandFacts &operand : facts.operands)
    for (auto [size, row] : llvm::zip_equal(operand.shape, operand.map))
      if (std::optional<unsigned> loop = plainLoop(row))
        extents[*loop] = size;
  for (std::optional<int64_t> extent : extents) {
    if (!extent)
      return refuse("the extent of a loop follows from no operand");
    facts.dims.push_back(*extent);
  }
  return success();
}

LogicalResult Reader::readIterators() {
  // In every named op the loops of the result are the parallel ones; only a
  // generic could differ.
  facts.isReduction.assign(facts.dims.size(), true);
  for (const AffineRow &row : facts.operands.back().map) {
    std::optional<unsigned> loop = plainLoop(row);
    if (!loop || !facts.isReduction[*loop])
      return refuse("its result is not indexed by plain loops");
    facts.isReduction[*loop] = false;
  }
  Attribute given = op->getAttr("iterator_types");
  if (!given)
    return success();
  SmallVector<bool, 8> kinds;
  if (auto array = dyn_cast<ArrayAttr>(given))
    for (Attribute kind : array)
      kinds.push_back(!StringRef(printed(kind)).contains("parallel"));
  if (kinds != facts.isReduction)
    return refuse("its parallel loops are not those of its result");
  return success();
}

FailureOr<LinalgFacts> readFacts(Operation *op, std::string &reason) {
  return Reader(op, reason).read();
}

} // namespace harl
