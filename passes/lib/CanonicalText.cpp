//===- CanonicalText.cpp - The canonical text of a workload ---------------===//

#include "AttributeText.h"
#include "BodyForm.h"
#include "Sources.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace harl {

/// Numbers with a separator between; `-` for none.
template <typename Range>
static std::string joined(const Range &numbers, StringRef separator = ",") {
  std::string text;
  raw_string_ostream os(text);
  interleave(numbers, os, separator);
  return text.empty() ? "-" : text;
}

static std::string rowsText(const OperandFacts &operand) {
  std::string text =
      join(map_range(operand.map,
                     [](const AffineRow &row) { return joined(row); }),
           ";");
  return text.empty() ? "-" : text;
}

static std::string sourceText(const Source &source) {
  switch (source.kind) {
  case Source::Argument:
    return "argument:" + std::to_string(source.index);
  case Source::Member:
    return "member:" + std::to_string(source.index);
  case Source::Empty:
    return "empty";
  case Source::Constant:
    if (auto number = mlir::dyn_cast<mlir::FloatAttr>(source.number))
      return "constant:" + constantText(number);
    return "constant:" +
           constantText(mlir::cast<mlir::IntegerAttr>(source.number));
  }
  llvm_unreachable("covered switch");
}

static void writeMember(raw_ostream &os, const LinalgFacts &facts,
                        const MemberSources &sources) {
  os << "op " << joined(facts.dims, "x") << ' ';
  for (bool isReduction : facts.isReduction)
    os << (isReduction ? 'r' : 'p');
  os << (facts.isReduction.empty() ? "-\n" : "\n");
  for (auto [operand, source] :
       llvm::zip_equal(facts.operands, sources.operands))
    os << "operand " << operand.element << ' '
       << (operand.isScalar ? "scalar" : joined(operand.shape, "x")) << ' '
       << rowsText(operand) << ' ' << sourceText(source) << '\n';
  for (const BodyOp &op : facts.body)
    os << "body " << op.name << ' ' << op.result << ' ' << joined(op.operands)
       << ' ' << (op.attributes.empty() ? "-" : attributesText(op)) << '\n';
  os << "yield " << facts.yields << '\n';
}

std::string canonicalText(ArrayRef<const Node *> members,
                          const Sources &sources) {
  std::string text = "task 1\n";
  raw_string_ostream os(text);
  for (auto [node, operands] : llvm::zip_equal(members, sources.members))
    writeMember(os, node->facts, operands);
  os << "return " << members.size() - 1 << '\n';
  return text;
}

std::string keyOf(StringRef canonicalText) {
  return sha256(canonicalText).substr(0, 16);
}

} // namespace harl
