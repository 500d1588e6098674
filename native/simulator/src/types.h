// The types and state spaces of PTX.
#pragma once

#include <cstdint>
#include <string_view>

namespace simulator {

enum class Type : uint8_t {
  none,
  u8,
  u16,
  u32,
  u64,
  s8,
  s16,
  s32,
  s64,
  b8,
  b16,
  b32,
  b64,
  b128,
  f16,
  f16x2,
  bf16,
  bf16x2,
  f32,
  f64,
  tf32,
  e4m3,
  e5m2,
  e4m3x2,
  e5m2x2,
  s16x2,
  u16x2,
  pred,
};

enum class Space : uint8_t { generic, reg, global, shared, local, param, constant };

Type parse_type(std::string_view name);  // without the dot; Type::none when it is no type
const char* type_name(Type type);

constexpr unsigned type_bytes(Type type) {
  switch (type) {
    case Type::u8:
    case Type::s8:
    case Type::b8:
    case Type::e4m3:
    case Type::e5m2:
      return 1;
    case Type::u16:
    case Type::s16:
    case Type::b16:
    case Type::f16:
    case Type::bf16:
    case Type::e4m3x2:
    case Type::e5m2x2:
      return 2;
    case Type::u32:
    case Type::s32:
    case Type::b32:
    case Type::f16x2:
    case Type::bf16x2:
    case Type::f32:
    case Type::tf32:
    case Type::s16x2:
    case Type::u16x2:
      return 4;
    case Type::u64:
    case Type::s64:
    case Type::b64:
    case Type::f64:
      return 8;
    case Type::b128:
      return 16;
    case Type::pred:
      return 4;  // of a warp: one bit a lane
    case Type::none:
      break;
  }
  return 0;
}

constexpr bool is_signed(Type t) { return t == Type::s8 || t == Type::s16 || t == Type::s32 || t == Type::s64; }
constexpr bool is_unsigned(Type t) { return t == Type::u8 || t == Type::u16 || t == Type::u32 || t == Type::u64; }
constexpr bool is_bits(Type t) {
  return t == Type::b8 || t == Type::b16 || t == Type::b32 || t == Type::b64 || t == Type::b128;
}
constexpr bool is_integer(Type t) { return is_signed(t) || is_unsigned(t); }

}  // namespace simulator
