//===- DotVectors.cpp - Vectors of groups that dot products take ----------===//
//
// As harl_mlir/codegen/vectors.py does.
//
//===----------------------------------------------------------------------===//

#include "DotVectors.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace harl {

Value resized(OpBuilder &builder, Location place, Value vector,
              int64_t count) {
  int64_t has = cast<VectorType>(vector.getType()).getDimSize(0);
  if (has == count)
    return vector;
  SmallVector<int64_t> lanes;
  for (int64_t lane = 0; lane < count; ++lane)
    lanes.push_back(lane < has ? lane : vector::ShuffleOp::kPoisonIndex);
  if (auto shuffle = vector.getDefiningOp<vector::ShuffleOp>())
    if (shuffle.getV1VectorType().getDimSize(0) == count &&
        shuffle.getMask() == ArrayRef(lanes).take_front(has) && has < count)
      return shuffle.getV1();
  return vector::ShuffleOp::create(builder, place, vector, vector, lanes);
}

Value lanesFrom(OpBuilder &builder, Location place, Value vector, int64_t first,
                int64_t count) {
  if (cast<VectorType>(vector.getType()).getDimSize(0) == count)
    return vector;
  return vector::ExtractStridedSliceOp::create(
      builder, place, vector, ArrayRef<int64_t>{first},
      ArrayRef<int64_t>{count}, ArrayRef<int64_t>{1});
}

Value putLanes(OpBuilder &builder, Location place, Value part, Value vector,
               int64_t first) {
  if (part.getType() == vector.getType())
    return part;
  return vector::InsertStridedSliceOp::create(builder, place, part, vector,
                                              ArrayRef<int64_t>{first},
                                              ArrayRef<int64_t>{1});
}

Value splat(OpBuilder &builder, Location place, VectorType type, int64_t value) {
  Attribute number = builder.getIntegerAttr(type.getElementType(), value);
  return arith::ConstantOp::create(builder, place,
                                   DenseElementsAttr::get(type, number));
}

int64_t groupOf(Type element) {
  return element.isBF16() ? 2 : element.isSignlessInteger(8) ? 4 : 0;
}

std::optional<Row> rowOf(OpBuilder &builder,
                         VectorTransferOpInterface transfer) {
  auto buffer = dyn_cast<MemRefType>(transfer.getShapedType());
  VectorType vector = transfer.getVectorType();
  if (!buffer || buffer.getRank() < 2 || vector.getRank() < 2 ||
      !buffer.hasStaticShape() || transfer.getMask() ||
      !transfer.getPermutationMap().isMinorIdentity() ||
      transfer.hasOutOfBoundsDim())
    return std::nullopt;
  int64_t rank = buffer.getRank(), offset, group = buffer.getShape().back();
  SmallVector<int64_t> strides;
  if (failed(buffer.getStridesAndOffset(strides, offset)) ||
      strides[rank - 1] != 1 || strides[rank - 2] != group ||
      vector.getShape().back() != group)
    return std::nullopt;
  SmallVector<ReassociationIndices> groups;
  for (int64_t dim = 0; dim + 2 < rank; ++dim)
    groups.push_back({dim});
  groups.push_back({rank - 2, rank - 1});
  Location place = transfer.getLoc();
  Row row;
  row.buffer = memref::CollapseShapeOp::create(builder, place,
                                               transfer.getBase(), groups);
  llvm::append_range(row.indices, transfer.getIndices().drop_back());
  Value count = arith::ConstantIndexOp::create(builder, place, group);
  row.indices.back() =
      arith::MulIOp::create(builder, place, row.indices.back(), count);
  return row;
}

Value loadRow(OpBuilder &builder, Location place, const Row &row, int64_t count,
              int64_t lanes) {
  Type element = cast<MemRefType>(row.buffer.getType()).getElementType();
  auto type = VectorType::get({lanes}, element);
  if (count == lanes)
    return vector::LoadOp::create(builder, place, type, row.buffer,
                                  row.indices);
  Value size = arith::ConstantIndexOp::create(builder, place, count);
  Value mask = vector::CreateMaskOp::create(
      builder, place, VectorType::get({lanes}, builder.getI1Type()), size);
  Value rest =
      arith::ConstantOp::create(builder, place, builder.getZeroAttr(type));
  return vector::MaskedLoadOp::create(builder, place, type, row.buffer,
                                      row.indices, mask, rest);
}

} // namespace harl
