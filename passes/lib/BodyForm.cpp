//===- BodyForm.cpp - The normal form of a linalg body --------------------===//

#include "BodyForm.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/SHA256.h"

#include <tuple>

using namespace llvm;

namespace harl {

std::string sha256(StringRef text) {
  return toHex(SHA256::hash(arrayRefFromStringRef(text)), /*LowerCase=*/true);
}

std::string attributesText(const BodyOp &op) {
  return join(map_range(op.attributes,
                        [](const auto &attribute) {
                          return attribute.first + "=" + attribute.second;
                        }),
              ",");
}

static bool isCommutative(StringRef name) {
  static const StringSet<> names = {
      "arith.addf",     "arith.addi",    "arith.andi",   "arith.maximumf",
      "arith.maxnumf",  "arith.maxsi",   "arith.maxui",  "arith.minimumf",
      "arith.minnumf",  "arith.minsi",   "arith.minui",  "arith.mulf",
      "arith.muli",     "arith.ori",     "arith.xori"};
  return names.contains(name);
}

static std::string digestOf(const BodyOp &op, ArrayRef<std::string> digests) {
  std::string text = op.name + "(";
  ListSeparator comma(",");
  for (unsigned value : op.operands)
    text += (StringRef(comma) + digests[value]).str();
  return sha256(text + "){" + attributesText(op) + "}" + op.result);
}

void normalise(unsigned arguments, std::vector<BodyOp> &body,
               unsigned &yields) {
  std::vector<std::string> digests;
  for (unsigned i = 0; i < arguments; ++i)
    digests.push_back("%" + std::to_string(i));
  // Block arguments by number, then ops by digest.
  auto rank = [&](unsigned value) {
    return value < arguments ? std::make_tuple(value, StringRef())
                             : std::make_tuple(arguments,
                                               StringRef(digests[value]));
  };
  for (BodyOp &op : body) {
    if (isCommutative(op.name))
      llvm::stable_sort(op.operands, [&](unsigned a, unsigned b) {
        return rank(a) < rank(b);
      });
    digests.push_back(digestOf(op, digests));
  }

  StringMap<unsigned> numbers;
  for (unsigned i = 0; i < arguments; ++i)
    numbers[digests[i]] = i;
  std::vector<BodyOp> kept;
  // An explicit stack: bodies may be deeper than recursion allows.
  SmallVector<unsigned> stack = {yields};
  while (!stack.empty()) {
    unsigned value = stack.back();
    if (numbers.contains(digests[value])) {
      stack.pop_back();
      continue;
    }
    const BodyOp &op = body[value - arguments];
    const unsigned *missing = llvm::find_if(op.operands, [&](unsigned operand) {
      return !numbers.contains(digests[operand]);
    });
    if (missing != op.operands.end()) {
      stack.push_back(*missing);
      continue;
    }
    numbers[digests[value]] = arguments + kept.size();
    kept.push_back(op);
    for (unsigned &operand : kept.back().operands)
      operand = numbers.lookup(digests[operand]);
    stack.pop_back();
  }
  yields = numbers.lookup(digests[yields]);
  body = std::move(kept);
}

} // namespace harl
