#include "literal.h"

#include <cstdlib>
#include <cstring>

namespace simulator {

namespace {

uint64_t double_bits(double value) {
  uint64_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

uint64_t float_bits(double value) {
  float narrow = static_cast<float>(value);
  uint32_t bits;
  std::memcpy(&bits, &narrow, sizeof bits);
  return bits;
}

}  // namespace

Operand parse_number(Scanner& in) {
  Operand o;
  bool negative = in.accept('-');
  if (!negative) in.accept('+');
  std::string text(in.number());
  if (text.size() == 10 && text[0] == '0' && (text[1] == 'f' || text[1] == 'F')) {
    o.kind = OperandKind::f32;
    o.bits = std::strtoull(text.c_str() + 2, nullptr, 16);
    if (negative) o.bits ^= uint64_t{1} << 31;
  } else if (text.size() == 18 && text[0] == '0' && (text[1] == 'd' || text[1] == 'D')) {
    o.kind = OperandKind::f64;
    o.bits = std::strtoull(text.c_str() + 2, nullptr, 16);
    if (negative) o.bits ^= uint64_t{1} << 63;
  } else if (text.find('.') != std::string::npos ||
             (text.size() > 1 && text[1] != 'x' && text[1] != 'X' && text.find_first_of("eE") != std::string::npos)) {
    o.kind = OperandKind::f64;
    double value = std::strtod(text.c_str(), nullptr);
    o.bits = double_bits(negative ? -value : value);
  } else {
    o.kind = OperandKind::integer;
    if (!text.empty() && (text.back() == 'U' || text.back() == 'u')) text.pop_back();
    char* end = nullptr;
    if (text.size() > 2 && text[0] == '0' && (text[1] == 'b' || text[1] == 'B')) {
      o.bits = std::strtoull(text.c_str() + 2, &end, 2);
    } else {
      o.bits = std::strtoull(text.c_str(), &end, 0);
    }
    if (text.empty() || *end) in.fail("bad number " + text);
    if (negative) o.bits = ~o.bits + 1;
  }
  return o;
}

uint64_t parse_natural(Scanner& in) {
  if (!in.starts_number()) in.fail("expected a number");
  return std::strtoull(std::string(in.number()).c_str(), nullptr, 0);
}

uint64_t literal_bits(const Operand& literal, Type type) {
  if (literal.kind == OperandKind::integer) {
    if (type == Type::f32) return float_bits(static_cast<double>(static_cast<int64_t>(literal.bits)));
    if (type == Type::f64) return double_bits(static_cast<double>(static_cast<int64_t>(literal.bits)));
    return literal.bits;
  }
  if (literal.kind == OperandKind::f64 && type == Type::f32) {
    double value;
    std::memcpy(&value, &literal.bits, sizeof value);
    return float_bits(value);
  }
  if (literal.kind == OperandKind::f32 && type == Type::f64) {
    float value;
    uint32_t bits = static_cast<uint32_t>(literal.bits);
    std::memcpy(&value, &bits, sizeof value);
    return double_bits(value);
  }
  return literal.bits;
}

}  // namespace simulator
