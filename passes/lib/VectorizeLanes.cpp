//===- VectorizeLanes.cpp - Steps of a loop as lanes of vectors -----------===//
//
// As harl_mlir/codegen/lanes.py does.
//
//===----------------------------------------------------------------------===//

#include "LaneAccesses.h"
#include "BufferViews.h"

#include "harl/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace harl {

#define GEN_PASS_DEF_VECTORIZELANESPASS
#include "harl/Passes.h.inc"

namespace {

constexpr StringLiteral kLanesAttr = "harl.lanes";
/// The number of steps of a loop by one from zero that carries no values.
std::optional<int64_t> stepsOf(scf::ForOp loop) {
  Linear low = linearOf(loop.getLowerBound()),
         high = linearOf(loop.getUpperBound()), step = linearOf(loop.getStep());
  if (loop.getNumResults() || !low.factors.empty() || !high.factors.empty() ||
      !step.factors.empty() || low.constant != 0 || step.constant != 1)
    return std::nullopt;
  return high.constant;
}

/// Writes the body of a loop for `count` steps at once.
class Lanes {
public:
  Lanes(OpBuilder &builder, int64_t count, ArrayRef<Access> accesses)
      : builder(builder), count(count) {
    for (const Access &access : accesses)
      if (!access.writes)
        reads[access.op] = &access;
    groups = groupsOf(accesses, places);
  }

  void body(scf::ForOp loop, Value first) {
    made.map(loop.getInductionVar(), first);
    block(*loop.getBody());
  }

private:
  void block(Block &old) {
    for (Operation &op : old.without_terminator()) {
      if (auto loop = dyn_cast<scf::ForOp>(op))
        innerLoop(loop);
      else if (isIndex(&op))
        builder.clone(op, made);
      else if (isWrite(&op))
        write(&op);
      else if (isAccess(&op))
        made.map(op.getResult(0), read(&op));
      else if (isSame(&op))
        made.map(op.getResult(0), value(op.getOperand(0)));
      else
        made.map(op.getResult(0), arithmetic(&op));
    }
  }

  Value arithmetic(Operation *op) {
    if (isa<arith::ConstantOp>(op))
      return spread(builder.clone(*op)->getResult(0));
    OperationState state(op->getLoc(), op->getName());
    for (Value operand : op->getOperands())
      state.operands.push_back(value(operand));
    state.addTypes(vectorOf(op->getResult(0).getType()));
    state.addAttributes(op->getDiscardableAttrDictionary().getValue());
    state.propertiesAttr = op->getPropertiesAsAttribute();
    return builder.create(state)->getResult(0);
  }

  void write(Operation *op) {
    vector::StoreOp::create(builder, op->getLoc(), value(op->getOperand(0)),
                            op->getOperand(1), indices(op));
  }

  void innerLoop(scf::ForOp loop) {
    SmallVector<Value> starts;
    for (Value start : loop.getInitArgs())
      starts.push_back(value(start));
    auto inner = scf::ForOp::create(
        builder, loop.getLoc(), made.lookupOrDefault(loop.getLowerBound()),
        made.lookupOrDefault(loop.getUpperBound()),
        made.lookupOrDefault(loop.getStep()), starts);
    made.map(loop.getBody()->getArguments(), inner.getBody()->getArguments());
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(inner.getBody());
    block(*loop.getBody());
    // Without values the loop was made with an end.
    if (!starts.empty()) {
      SmallVector<Value> ends;
      for (Value end : loop.getYieldedValues())
        ends.push_back(value(end));
      scf::YieldOp::create(builder, loop.getLoc(), ends);
    }
    made.map(loop.getResults(), inner.getResults());
  }

  VectorType vectorOf(Type type) {
    return VectorType::get(count, getElementTypeOrSelf(type));
  }

  /// A vector of an element that is computed in each step, or is the same in
  /// all.
  Value value(Value old) {
    Value found = made.lookupOrNull(old);
    return found ? found : spread(old);
  }

  Value spread(Value old) {
    return vector::BroadcastOp::create(builder, old.getLoc(),
                                       vectorOf(old.getType()), old);
  }

  SmallVector<Value> indices(Operation *op) {
    unsigned before = isWrite(op) ? 2 : 1;
    auto type = cast<MemRefType>(op->getOperand(before - 1).getType());
    SmallVector<Value> found;
    for (Value index :
         op->getOperands().drop_front(before).take_front(type.getRank()))
      found.push_back(made.lookupOrDefault(index));
    return found;
  }

  Value read(Operation *op) {
    const Access &access = *reads[op];
    SmallVector<Value> at = indices(op);
    VectorType type = vectorOf(op->getResult(0).getType());
    if (access.stride == 0) {
      Value one =
          memref::LoadOp::create(builder, op->getLoc(), access.buffer, at);
      return vector::BroadcastOp::create(builder, op->getLoc(), type, one);
    }
    if (access.stride == 1)
      return vector::LoadOp::create(builder, op->getLoc(), type, access.buffer,
                                    at);
    Place place = places[op];
    auto &held = registers[place.group];
    if (held.empty())
      held = load(groups[place.group], access, at, place.offset, type);
    return picked(op->getLoc(), held, place.offset, access.stride);
  }

  using Registers = SmallVector<std::pair<int64_t, Value>>;

  /// Registers that hold all that a group reads, and where they begin; `at`
  /// are the indices of `offset`.
  Registers load(const Group &group, const Access &access, ArrayRef<Value> at,
                 int64_t offset, VectorType type) {
    Location loc = access.op->getLoc();
    int64_t extent = group.farthest + group.stride * (count - 1) + 1;
    Registers found;
    for (int64_t start = 0; start < extent; start += count) {
      // What lies beyond the last element may be no part of the buffer.
      int64_t begin = std::min(start, extent - count);
      SmallVector<Value> place(at);
      Value moved =
          arith::ConstantIndexOp::create(builder, loc, begin - offset);
      place.back() = arith::AddIOp::create(builder, loc, place.back(), moved);
      found.emplace_back(begin, vector::LoadOp::create(builder, loc, type,
                                                       access.buffer, place));
    }
    return found;
  }

  /// Every `stride`-th element from `offset` on.
  Value picked(Location loc, const Registers &registers, int64_t offset,
               int64_t stride) {
    SmallVector<int64_t> wanted, held;
    for (int64_t lane = 0; lane < count; ++lane) {
      wanted.push_back(offset + stride * lane);
      held.push_back(llvm::find_if(registers, [&](const auto &each) {
                       return wanted.back() < each.first + count;
                     }) - registers.begin());
    }
    Value made = registers.front().second;
    SmallVector<int64_t> lanes;
    for (auto [at, number] : llvm::zip(wanted, held))
      lanes.push_back(number == 0 ? at - registers.front().first : -1);
    for (size_t number = 1; number < registers.size(); ++number) {
      auto [start, next] = registers[number];
      for (int64_t lane = 0; lane < count; ++lane)
        if (held[lane] == int64_t(number))
          lanes[lane] = count + wanted[lane] - start;
      made = vector::ShuffleOp::create(builder, loc, made, next, lanes);
      for (int64_t lane = 0; lane < count; ++lane)
        lanes[lane] = held[lane] <= int64_t(number) ? lane : -1;
    }
    return made;
  }

  OpBuilder &builder;
  int64_t count;
  IRMapping made;
  llvm::DenseMap<Operation *, const Access *> reads;
  llvm::DenseMap<Operation *, Place> places;
  SmallVector<Group> groups;
  llvm::DenseMap<size_t, Registers> registers;
};

/// Whole vectors, then what is left; that overlaps with the last of them where
/// no harm comes of it.
void replace(scf::ForOp loop, int64_t steps, int64_t lanes,
             ArrayRef<Access> accesses) {
  llvm::DenseSet<Value> written;
  for (const Access &access : accesses)
    if (access.writes)
      written.insert(rootOf(access.buffer));
  bool updates = llvm::any_of(accesses, [&](const Access &access) {
    return !access.writes && written.contains(rootOf(access.buffer));
  });
  OpBuilder builder(loop);
  Location loc = loop.getLoc();
  auto number = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(builder, loc, value);
  };
  int64_t rest = steps % lanes;
  if (steps > rest) {
    auto whole = scf::ForOp::create(builder, loc, number(0),
                                    number(steps - rest), number(lanes));
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(whole.getBody());
    Lanes(builder, lanes, accesses).body(loop, whole.getInductionVar());
  }
  if (rest) {
    int64_t left = updates ? rest : lanes;
    Lanes(builder, left, accesses).body(loop, number(steps - left));
  }
  loop.erase();
}

struct VectorizeLanes : public impl::VectorizeLanesPassBase<VectorizeLanes> {
  void runOnOperation() override {
    SmallVector<scf::ForOp> marked;
    getOperation().walk([&](scf::ForOp loop) {
      if (loop->hasAttr(kLanesAttr))
        marked.push_back(loop);
    });
    for (scf::ForOp loop : marked) {
      auto wanted = dyn_cast<IntegerAttr>(loop->removeAttr(kLanesAttr));
      std::optional<int64_t> steps = stepsOf(loop);
      if (!wanted || wanted.getInt() < 2 || !steps || *steps < 2)
        continue;
      if (std::optional<SmallVector<Access>> accesses = accessesOf(loop))
        replace(loop, *steps, std::min(wanted.getInt(), *steps), *accesses);
    }
  }
};

} // namespace
} // namespace harl
