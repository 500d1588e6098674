#include "types.h"

namespace simulator {

namespace {
struct TypeName {
  const char* name;
  Type type;
};
constexpr TypeName names[] = {
    {"u8", Type::u8},         {"u16", Type::u16},     {"u32", Type::u32},       {"u64", Type::u64},
    {"s8", Type::s8},         {"s16", Type::s16},     {"s32", Type::s32},       {"s64", Type::s64},
    {"b8", Type::b8},         {"b16", Type::b16},     {"b32", Type::b32},       {"b64", Type::b64},
    {"b128", Type::b128},     {"f16", Type::f16},     {"f16x2", Type::f16x2},   {"bf16", Type::bf16},
    {"bf16x2", Type::bf16x2}, {"f32", Type::f32},     {"f64", Type::f64},       {"tf32", Type::tf32},
    {"e4m3", Type::e4m3},     {"e5m2", Type::e5m2},   {"e4m3x2", Type::e4m3x2}, {"e5m2x2", Type::e5m2x2},
    {"s16x2", Type::s16x2},   {"u16x2", Type::u16x2}, {"pred", Type::pred},
};
}  // namespace

Type parse_type(std::string_view name) {
  for (const TypeName& entry : names)
    if (name == entry.name) return entry.type;
  return Type::none;
}

const char* type_name(Type type) {
  for (const TypeName& entry : names)
    if (type == entry.type) return entry.name;
  return "none";
}

}  // namespace simulator
