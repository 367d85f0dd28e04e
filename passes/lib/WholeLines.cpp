//===- WholeLines.cpp - Vectors that are written to whole lines -----------===//
//
// As harl_mlir/codegen/whole_lines.py does.
//
//===----------------------------------------------------------------------===//

#include "WholeLines.h"

#include "BufferViews.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/AffineExpr.h"
#include "llvm/ADT/TypeSwitch.h"

#include <numeric>

using namespace mlir;

namespace harl {

int64_t bytesOf(MemRefType type) {
  Type element = type.getElementType();
  return element.isIntOrFloat() ? element.getIntOrFloatBitWidth() / 8 : 8;
}

SmallVector<int64_t> stridesOf(MemRefType type) {
  SmallVector<int64_t> strides;
  int64_t offset;
  if (failed(type.getStridesAndOffset(strides, offset)) ||
      llvm::any_of(strides, ShapedType::isDynamic))
    strides.clear();
  return strides;
}

namespace {

constexpr int64_t kUnlimited = int64_t(1) << 40;

int64_t divisorOf(Value value);

int64_t divisorOf(AffineExpr expression, ValueRange given, unsigned dims) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expression))
    return constant.getValue() ? constant.getValue() : kUnlimited;
  if (auto dim = dyn_cast<AffineDimExpr>(expression))
    return divisorOf(given[dim.getPosition()]);
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expression))
    return divisorOf(given[dims + symbol.getPosition()]);
  auto both = dyn_cast<AffineBinaryOpExpr>(expression);
  if (!both || (both.getKind() != AffineExprKind::Add &&
                both.getKind() != AffineExprKind::Mul))
    return 1;
  int64_t left = divisorOf(both.getLHS(), given, dims);
  int64_t right = divisorOf(both.getRHS(), given, dims);
  if (both.getKind() == AffineExprKind::Add)
    return std::gcd(left, right);
  // Of more than a line no more need be known: a power of two, which divides.
  auto power = [](int64_t number) {
    return std::gcd(number, kLine);
  };
  return power(left) * power(right);
}

/// A number that an index is a multiple of; large for zero.
int64_t divisorOf(Value value) {
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    auto loop = dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp());
    if (!loop || argument.getArgNumber())
      return 1;
    return std::gcd(divisorOf(loop.getLowerBound()),
                    divisorOf(loop.getStep()));
  }
  if (auto number = getConstantIntValue(value))
    return *number ? *number : kUnlimited;
  return llvm::TypeSwitch<Operation *, int64_t>(value.getDefiningOp())
      .Case([](arith::AddIOp op) {
        return std::gcd(divisorOf(op.getLhs()), divisorOf(op.getRhs()));
      })
      .Case([](affine::AffineApplyOp op) {
        AffineMap map = op.getAffineMap();
        return divisorOf(map.getResult(0), op.getOperands(),
                         map.getNumDims());
      })
      .Default([](Operation *) { return 1; });
}

/// Whether an offset of `factor` times these steps keeps to whole lines.
bool keepsLines(int64_t factor, int64_t stride, int64_t bytes) {
  // A product may be too large for 64 bits; only its last ones count.
  uint64_t moved = uint64_t(factor) * uint64_t(stride) * uint64_t(bytes);
  return moved % kLine == 0;
}

/// The buffer that a view of elements of so many bytes is of, if the view
/// begins with a line where that does; else null.
Value rootOfLines(Value buffer, int64_t bytes) {
  while (Value source = viewed(buffer)) {
    if (auto view = buffer.getDefiningOp<memref::SubViewOp>()) {
      auto type = cast<MemRefType>(source.getType());
      SmallVector<int64_t> strides = stridesOf(type);
      if (strides.size() != view.getMixedOffsets().size())
        return {};
      for (auto [offset, stride] : llvm::zip(view.getMixedOffsets(), strides)) {
        auto number = getConstantIntValue(offset);
        int64_t factor = number ? *number : divisorOf(cast<Value>(offset));
        if (!keepsLines(factor, stride, bytes))
          return {};
      }
    }
    buffer = source;
  }
  auto type = dyn_cast<MemRefType>(buffer.getType());
  return type && type.getLayout().isIdentity() ? buffer : Value();
}

} // namespace

Value writtenByLines(vector::TransferWriteOp write) {
  auto type = dyn_cast<MemRefType>(write.getBase().getType());
  VectorType vector = write.getVectorType();
  if (!type || write.getMask() ||
      isa<vector::MaskOp>(write->getParentOp()) || !vector.getRank() ||
      vector.isScalable() || !write.getPermutationMap().isMinorIdentity() ||
      write.hasOutOfBoundsDim())
    return {};
  SmallVector<int64_t> strides = stridesOf(type);
  int64_t bytes = bytesOf(type);
  if (!bytes || strides.empty() || strides.back() != 1 ||
      !keepsLines(vector.getShape().back(), 1, bytes))
    return {};
  for (int64_t stride :
       ArrayRef(strides).take_back(vector.getRank()).drop_back())
    if (!keepsLines(1, stride, bytes))
      return {};
  for (auto [index, stride] : llvm::zip(write.getIndices(), strides))
    if (!keepsLines(divisorOf(index), stride, bytes))
      return {};
  return rootOfLines(write.getBase(), bytes);
}

} // namespace harl
