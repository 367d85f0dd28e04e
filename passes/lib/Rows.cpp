//===- Rows.cpp - Row operations ------------------------------------------===//

#include "Rows.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSet.h"

namespace harl {

/// Whether each dimension is a loop of its own, in the order of the loops.
static bool isPlain(const OperandFacts &operand) {
  int64_t seen = -1;
  for (const AffineRow &row : operand.map) {
    int64_t loop = -1;
    for (int64_t d = 0, end = row.size() - 1; d < end; ++d) {
      if (row[d] == 0)
        continue;
      if (loop != -1 || row[d] != 1)
        return false;
      loop = d;
    }
    if (loop <= seen || row.back() != 0)
      return false;
    seen = loop;
  }
  return true;
}

bool isLeading(const OperandFacts &operand, size_t count) {
  if (operand.map.size() != count)
    return false;
  for (auto [i, row] : llvm::enumerate(operand.map)) {
    if (row.back() != 0)
      return false;
    for (size_t d = 0; d + 1 < row.size(); ++d)
      if (row[d] != (d == i ? 1 : 0))
        return false;
  }
  return true;
}

/// Whether the last loop is the one reduction.
static bool reducesLast(const LinalgFacts &op) {
  return !op.dims.empty() && op.isReduction.back() &&
         llvm::count(op.isReduction, true) == 1;
}

bool Rows::holds(const LinalgFacts &op) const {
  static const llvm::StringSet<> elements = {"f16", "bf16", "f32", "f64",
                                             "i8",  "i16",  "i32", "i64"};
  return fits(op) && llvm::all_of(op.operands, [](const OperandFacts &operand) {
           return elements.contains(operand.element);
         });
}

bool Rows::fits(const LinalgFacts &op) const {
  llvm::ArrayRef<int64_t> dims = op.dims;
  bool along = dims.size() == counts.size() + 1 && dims.back() == length &&
               dims.drop_back() == llvm::ArrayRef<int64_t>(counts);
  bool reduces = along && reducesLast(op);
  bool maps = op.isElementwise() &&
              (along || dims == llvm::ArrayRef<int64_t>(counts));
  if (!reduces && !maps)
    return false;
  return isLeading(op.operands.back(), reduces ? counts.size() : dims.size()) &&
         llvm::all_of(op.operands, isPlain) &&
         llvm::all_of(op.body, [&](const BodyOp &inner) {
           // Where a row stands among the others is not known to the steps of
           // the loop over rows.
           std::pair<std::string, std::string> along = {
               "dim", std::to_string(counts.size())};
           return inner.name != "linalg.index" ||
                  llvm::is_contained(inner.attributes, along);
         });
}

std::optional<Rows> rowsOf(const LinalgFacts &op) {
  if (op.dims.size() < 2 || !reducesLast(op))
    return std::nullopt;
  llvm::ArrayRef<int64_t> counts = llvm::ArrayRef<int64_t>(op.dims).drop_back();
  Rows rows{{counts.begin(), counts.end()}, op.dims.back()};
  bool several = rows.length > 1 &&
                 llvm::any_of(counts, [](int64_t count) { return count > 1; });
  if (!several || !rows.holds(op))
    return std::nullopt;
  return rows;
}

} // namespace harl
