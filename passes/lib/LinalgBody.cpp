//===- LinalgBody.cpp - The body of a linalg op ---------------------------===//

#include "LinalgBody.h"
#include "AttributeText.h"
#include "BodyForm.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace harl {

namespace {

/// Reads one body; the first reason to refuse it ends the reading.
class Reader {
public:
  Reader(LinalgFacts &facts, std::string &reason)
      : facts(facts), reason(reason) {}

  LogicalResult read(Block &block);

private:
  LogicalResult refuse(const llvm::Twine &why) {
    reason = why.str();
    return failure();
  }
  LogicalResult number(Value value, unsigned &found);
  LogicalResult readOp(Operation &inner, ArrayRef<unsigned> used);
  /// The number of the op that was read last.
  unsigned last() const {
    return facts.operands.size() + facts.body.size() - 1;
  }

  LinalgFacts &facts;
  std::string &reason;
  llvm::DenseMap<Value, unsigned> numbers;
};

} // namespace

/// Attributes at their default do not change the meaning.
static bool isDefault(StringRef text) {
  return text == "#arith.fastmath<none>" || text == "#arith.overflow<none>" ||
         text == "#arith.rounding_mode<to_nearest_even>";
}

LogicalResult Reader::read(Block &block) {
  if (block.getNumArguments() != facts.operands.size())
    return refuse("its body does not take one value for each operand");
  for (BlockArgument argument : block.getArguments())
    numbers[argument] = argument.getArgNumber();
  for (Operation &inner : block) {
    bool isYield = isa<linalg::YieldOp>(inner);
    SmallVector<unsigned> used;
    for (Value value : inner.getOperands())
      if (failed(number(value, used.emplace_back())))
        return failure();
    if (isYield) {
      if (used.size() != 1)
        break;
      facts.yields = used[0];
      normalise(facts.operands.size(), facts.body, facts.yields);
      return success();
    }
    if (failed(readOp(inner, used)))
      return failure();
    numbers[inner.getResult(0)] = last();
  }
  return refuse("its body does not yield one value");
}

LogicalResult Reader::number(Value value, unsigned &found) {
  auto known = numbers.find(value);
  if (known == numbers.end()) {
    // A constant from outside belongs to the body.
    auto constant = value.getDefiningOp<arith::ConstantOp>();
    if (!constant)
      return refuse("its body uses a value from outside that is no constant");
    if (failed(readOp(*constant, {})))
      return failure();
    known = numbers.try_emplace(value, last()).first;
  }
  found = known->second;
  return success();
}

LogicalResult Reader::readOp(Operation &inner, ArrayRef<unsigned> used) {
  StringRef name = inner.getName().getStringRef();
  bool known = name.starts_with("arith.") || name.starts_with("math.") ||
               isa<linalg::IndexOp>(inner);
  if (!known || inner.getNumResults() != 1 || inner.getNumRegions() != 0)
    return refuse("its body holds " + name);
  for (Type type : llvm::concat<Type>(inner.getOperandTypes(),
                                      inner.getResultTypes()))
    if (!isSupportedElement(type))
      return refuse("its body computes with " + printed(type));
  BodyOp read;
  read.name = name.str();
  read.operands.assign(used.begin(), used.end());
  read.result = printed(inner.getResult(0).getType());
  for (NamedAttribute attribute : inner.getAttrs()) {
    std::string text = attributeText(attribute.getValue());
    if (isDefault(text))
      continue;
    if (isa<arith::ConstantOp>(inner) && attribute.getName() == "value")
      if (auto number = dyn_cast<FloatAttr>(attribute.getValue()))
        text = constantText(number);
    read.attributes.emplace_back(attribute.getName().str(), std::move(text));
  }
  llvm::sort(read.attributes);
  facts.body.push_back(std::move(read));
  return success();
}

LogicalResult readBody(Block &block, LinalgFacts &facts, std::string &reason) {
  return Reader(facts, reason).read(block);
}

} // namespace harl
