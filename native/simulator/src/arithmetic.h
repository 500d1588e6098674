// Decoders of opcodes that exist for integers, floats and 16-bit floats: ops_float.cpp hands over by type.
#pragma once

#include "decode.h"

namespace simulator {

void decode_add_integer(Decoder& d, Type t, bool subtract);
void decode_mul_integer(Decoder& d, Type t);
void decode_mad_integer(Decoder& d, Type t);
void decode_div_integer(Decoder& d, Type t);
void decode_min_max_integer(Decoder& d, Type t, bool maximum);
void decode_abs_neg_integer(Decoder& d, Type t, bool negate);

enum class SmallFloatOp : uint8_t { add, sub, mul, fma, min, max, neg, abs, ex2, tanh };
constexpr bool is_small_float(Type t) {
  return t == Type::f16 || t == Type::f16x2 || t == Type::bf16 || t == Type::bf16x2;
}
void decode_small_float(Decoder& d, Type t, SmallFloatOp which);

}  // namespace simulator
