//===- AttributeText.cpp - Canonical texts of attributes ------------------===//

#include "AttributeText.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/raw_ostream.h"

#include <charconv>
#include <cmath>

using namespace mlir;

namespace harl {

std::string printed(Type type) {
  std::string text;
  llvm::raw_string_ostream os(text);
  type.print(os);
  return text;
}

std::string printed(Attribute attribute) {
  std::string text;
  llvm::raw_string_ostream os(text);
  attribute.print(os);
  return text;
}

bool isSupportedElement(Type type) {
  if (isa<Float16Type, BFloat16Type, Float32Type, Float64Type, IndexType>(type))
    return true;
  auto integer = dyn_cast<IntegerType>(type);
  if (!integer || !integer.isSignless())
    return false;
  unsigned width = integer.getWidth();
  return width == 1 || width == 8 || width == 16 || width == 32 || width == 64;
}

std::string constantText(FloatAttr number) {
  double value = number.getValueAsDouble();
  if (std::isnan(value))
    return "7ff8000000000000";
  return llvm::utohexstr(llvm::bit_cast<uint64_t>(value), /*LowerCase=*/true,
                         /*Width=*/16);
}

std::string constantText(IntegerAttr number) {
  bool isUnsigned =
      number.getType().isInteger(1) || number.getType().isUnsignedInteger();
  return llvm::toString(number.getValue(), 10, /*Signed=*/!isUnsigned);
}

/// A double as Python's `repr` writes it: the shortest digits, with an exponent
/// where the decimal point is far from them.
static std::string shortestDecimal(double value) {
  if (std::isnan(value))
    return "nan";
  if (std::isinf(value))
    return value < 0 ? "-inf" : "inf";
  char buffer[32];
  auto end = std::to_chars(buffer, std::end(buffer), value,
                           std::chars_format::scientific);
  StringRef text(buffer, end.ptr - buffer);
  std::string sign = text.consume_front("-") ? "-" : "";
  auto [mantissa, exponentText] = text.split('e');
  int exponent = 0;
  exponentText.consume_front("+");
  exponentText.getAsInteger(10, exponent);
  std::string digits;
  for (char c : mantissa)
    if (c != '.')
      digits += c;
  int point = exponent + 1;
  int count = digits.size();
  if (point > 16 || point < -3) {
    std::string fraction = count > 1 ? "." + digits.substr(1) : "";
    std::string power = std::to_string(std::abs(exponent));
    return sign + digits[0] + fraction + (exponent < 0 ? "e-" : "e+") +
           (power.size() < 2 ? "0" : "") + power;
  }
  if (point <= 0)
    return sign + "0." + std::string(-point, '0') + digits;
  if (point >= count)
    return sign + digits + std::string(point - count, '0') + ".0";
  return sign + digits.substr(0, point) + "." + digits.substr(point);
}

std::string attributeText(Attribute attribute) {
  if (auto integer = dyn_cast<IntegerAttr>(attribute))
    return constantText(integer);
  if (auto number = dyn_cast<FloatAttr>(attribute))
    return shortestDecimal(number.getValueAsDouble());
  return printed(attribute);
}

Attribute constantNumber(Operation *op) {
  auto constant = dyn_cast_or_null<arith::ConstantOp>(op);
  if (!constant)
    return {};
  Attribute value = constant.getValue();
  if (auto splat = dyn_cast<SplatElementsAttr>(value))
    value = splat.getSplatValue<Attribute>();
  return isa<IntegerAttr, FloatAttr>(value) ? value : Attribute();
}

} // namespace harl
