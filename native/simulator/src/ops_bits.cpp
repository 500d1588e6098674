// Logic, shifts, bit fields, byte permutation.
#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include "decode.h"
#include "lanes.h"

namespace simulator {

namespace {

struct And {
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>(a & b);
  }
};
struct Or {
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>(a | b);
  }
};
struct Xor {
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>(a ^ b);
  }
};
struct Not {
  template <class T>
  T operator()(T a) const {
    return static_cast<T>(~a);
  }
};
struct CNot {
  template <class T>
  T operator()(T a) const {
    return a == 0 ? T(1) : T(0);
  }
};
struct Popc {
  uint32_t operator()(uint32_t a) const {
    a -= a >> 1 & 0x55555555u;
    a = (a & 0x33333333u) + (a >> 2 & 0x33333333u);
    a = (a + (a >> 4)) & 0x0F0F0F0Fu;
    return (a * 0x01010101u) >> 24;
  }
  uint32_t operator()(uint64_t a) const { return static_cast<uint32_t>(__builtin_popcountll(a)); }
};
struct Clz {
  uint32_t operator()(uint32_t a) const { return a ? static_cast<uint32_t>(__builtin_clz(a)) : 32; }
  uint32_t operator()(uint64_t a) const { return a ? static_cast<uint32_t>(__builtin_clzll(a)) : 64; }
};
struct Brev {
  uint32_t operator()(uint32_t a) const {
    a = (a >> 1 & 0x55555555u) | (a & 0x55555555u) << 1;
    a = (a >> 2 & 0x33333333u) | (a & 0x33333333u) << 2;
    a = (a >> 4 & 0x0F0F0F0Fu) | (a & 0x0F0F0F0Fu) << 4;
    return __builtin_bswap32(a);
  }
  uint64_t operator()(uint64_t a) const {
    return uint64_t{(*this)(static_cast<uint32_t>(a))} << 32 | (*this)(static_cast<uint32_t>(a >> 32));
  }
};
// The highest bit that differs from the sign; shift: the left shift that brings it to the top.
template <bool shift>
struct Bfind {
  template <class T>
  uint32_t operator()(T a) const {
    using U = std::make_unsigned_t<T>;
    U x = static_cast<U>(std::is_signed_v<T> && a < 0 ? ~a : a);
    if (x == 0) return ~0u;
    uint32_t bit = 63 - static_cast<uint32_t>(__builtin_clzll(static_cast<uint64_t>(x)));
    return shift ? static_cast<uint32_t>(8 * sizeof(T)) - 1 - bit : bit;
  }
};
struct Shl {
  template <class T>
  T operator()(T a, uint32_t b) const {
    constexpr uint32_t bits = 8 * sizeof(T);
    return b >= bits ? T(0) : static_cast<T>(a << (b & (bits - 1)));
  }
};
struct Shr {
  template <class T>
  T operator()(T a, uint32_t b) const {
    constexpr uint32_t bits = 8 * sizeof(T);
    if constexpr (std::is_signed_v<T>) {
      return static_cast<T>(a >> (b >= bits ? bits - 1 : b));
    } else {
      return b >= bits ? T(0) : static_cast<T>(a >> (b & (bits - 1)));
    }
  }
};

template <class D, class T, class F>
const Op* unary(Warp& w, const Op* op, uint32_t exec) {
  D* d = destination<D>(w, op->d);
  const T* a = source<T>(w, op->a);
  each_lane(w, d, exec, [=](int i) { return static_cast<D>(F()(a[i])); });
  return op + 1;
}
template <class T, class F>
const Op* binary(Warp& w, const Op* op, uint32_t exec) {
  T* d = destination<T>(w, op->d);
  const T *a = source<T>(w, op->a), *b = source<T>(w, op->b);
  each_lane(w, d, exec, [=](int i) { return F()(a[i], b[i]); });
  return op + 1;
}
template <class T, class F>
const Op* shift(Warp& w, const Op* op, uint32_t exec) {
  T* d = destination<T>(w, op->d);
  const T* a = source<T>(w, op->a);
  const uint32_t* b = source<uint32_t>(w, op->b);
  each_lane(w, d, exec, [=](int i) { return F()(a[i], b[i]); });
  return op + 1;
}
template <class F>
const Op* predicate_logic(Warp& w, const Op* op, uint32_t exec) {
  set_predicate(w, op->d, exec, F()(predicate(w, op->a), predicate(w, op->b)));
  return op + 1;
}
const Op* predicate_not(Warp& w, const Op* op, uint32_t exec) {
  set_predicate(w, op->d, exec, ~predicate(w, op->a));
  return op + 1;
}

// Funnel shift of hi:lo (b:a).
template <bool left, bool clamp>
const Op* shf(Warp& w, const Op* op, uint32_t exec) {
  uint32_t* d = destination<uint32_t>(w, op->d);
  const uint32_t *a = source<uint32_t>(w, op->a), *b = source<uint32_t>(w, op->b), *c = source<uint32_t>(w, op->c);
  each_lane(w, d, exec, [=](int i) {
    uint32_t n = clamp ? (c[i] < 32 ? c[i] : 32) : c[i] & 31;
    uint64_t both = uint64_t{b[i]} << 32 | a[i];
    return static_cast<uint32_t>(left ? both << n >> 32 : both >> n);
  });
  return op + 1;
}

const Op* lop3(Warp& w, const Op* op, uint32_t exec) {
  uint32_t* d = destination<uint32_t>(w, op->d);
  const uint32_t *a = source<uint32_t>(w, op->a), *b = source<uint32_t>(w, op->b), *c = source<uint32_t>(w, op->c);
  uint32_t term[8];
  for (int k = 0; k < 8; ++k) term[k] = op->imm >> k & 1 ? ~0u : 0;
  each_lane(w, d, exec, [=](int i) {
    uint32_t x = a[i], y = b[i], z = c[i];
    return (~x & ((~y & ((~z & term[0]) | (z & term[1]))) | (y & ((~z & term[2]) | (z & term[3]))))) |
           (x & ((~y & ((~z & term[4]) | (z & term[5]))) | (y & ((~z & term[6]) | (z & term[7])))));
  });
  return op + 1;
}

// lop3.or/.and: also a predicate, (d != 0) op q.
const Op* lop3_predicate(Warp& w, const Op* op, uint32_t exec) {
  lop3(w, op, exec);
  const uint32_t* d = source<uint32_t>(w, op->d);
  uint32_t nonzero = mask_of([=](int i) { return d[i] != 0; });
  uint32_t q = predicate(w, op->list[0]);
  set_predicate(w, op->e, exec, op->small[0] ? nonzero & q : nonzero | q);
  return op + 1;
}

template <class T>
const Op* bfe(Warp& w, const Op* op, uint32_t exec) {
  T* d = destination<T>(w, op->d);
  const T* a = source<T>(w, op->a);
  const uint32_t *b = source<uint32_t>(w, op->b), *c = source<uint32_t>(w, op->c);
  constexpr uint32_t bits = 8 * sizeof(T);
  using U = std::make_unsigned_t<T>;
  each_lane(w, d, exec, [=](int i) {
    uint32_t position = b[i] & 0xFF, length = c[i] & 0xFF;
    U value = static_cast<U>(position >= bits ? U(0) : static_cast<U>(a[i]) >> (position & (bits - 1)));
    U mask = length >= bits ? ~U(0) : (U(1) << (length & (bits - 1))) - 1;
    U field = value & mask;
    if constexpr (std::is_signed_v<T>) {
      uint32_t last = position + length - 1 < bits - 1 ? position + length - 1 : bits - 1;
      bool sign = length != 0 && (static_cast<U>(a[i]) >> last & 1);
      // Bits of the field past the end of a are copies of the sign as well.
      uint32_t have = position >= bits ? 0 : (length < bits - position ? length : bits - position);
      U known = have >= bits ? ~U(0) : (U(1) << have) - 1;
      field = sign ? (field & known) | ~known : field & known;
    }
    return static_cast<T>(field);
  });
  return op + 1;
}

template <class T>
const Op* bfi(Warp& w, const Op* op, uint32_t exec) {
  T* d = destination<T>(w, op->d);
  const T *a = source<T>(w, op->a), *b = source<T>(w, op->b);
  const uint32_t *c = source<uint32_t>(w, op->c), *e = source<uint32_t>(w, op->e);
  constexpr uint32_t bits = 8 * sizeof(T);
  each_lane(w, d, exec, [=](int i) {
    uint32_t position = c[i] & 0xFF, length = e[i] & 0xFF;
    T mask = length >= bits ? static_cast<T>(~T(0)) : static_cast<T>((T(1) << (length & (bits - 1))) - 1);
    T at = position >= bits ? T(0) : static_cast<T>(mask << (position & (bits - 1)));
    T value = position >= bits ? T(0) : static_cast<T>(a[i] << (position & (bits - 1)));
    return static_cast<T>((b[i] & ~at) | (value & at));
  });
  return op + 1;
}

template <bool wrap>
const Op* bmsk(Warp& w, const Op* op, uint32_t exec) {
  uint32_t* d = destination<uint32_t>(w, op->d);
  const uint32_t *a = source<uint32_t>(w, op->a), *b = source<uint32_t>(w, op->b);
  each_lane(w, d, exec, [=](int i) {
    uint32_t position = wrap ? a[i] & 31 : a[i], width = wrap ? b[i] & 31 : b[i];
    uint32_t mask = width >= 32 ? ~0u : (1u << width) - 1;
    return position >= 32 ? 0u : mask << position;
  });
  return op + 1;
}

template <class T, bool wrap>
const Op* szext(Warp& w, const Op* op, uint32_t exec) {
  T* d = destination<T>(w, op->d);
  const T* a = source<T>(w, op->a);
  const uint32_t* b = source<uint32_t>(w, op->b);
  each_lane(w, d, exec, [=](int i) {
    uint32_t n = wrap ? b[i] & 31 : b[i];
    if (n >= 32) return a[i];
    if (n == 0) return T(0);
    return static_cast<T>(static_cast<T>(static_cast<uint32_t>(a[i]) << (32 - n)) >> (32 - n));
  });
  return op + 1;
}

uint32_t permute(uint32_t a, uint32_t b, uint32_t selector) {
  uint64_t bytes = uint64_t{b} << 32 | a;
  uint32_t result = 0;
  for (int k = 0; k < 4; ++k) {
    uint32_t s = selector >> (4 * k) & 0xF;
    uint32_t byte = static_cast<uint32_t>(bytes >> (8 * (s & 7))) & 0xFF;
    if (s & 8) byte = byte & 0x80 ? 0xFF : 0;
    result |= byte << (8 * k);
  }
  return result;
}

#if defined(__AVX2__)
// Eight lanes: the nibbles of the selector become byte indices of shuffles within 128 bits.
__m256i permute_eight(__m256i a, __m256i b, __m256i selector) {
  __m256i s = _mm256_and_si256(selector, _mm256_set1_epi32(0xFFFF));
  s = _mm256_and_si256(_mm256_or_si256(s, _mm256_slli_epi32(s, 8)), _mm256_set1_epi32(0x00FF00FF));
  s = _mm256_and_si256(_mm256_or_si256(s, _mm256_slli_epi32(s, 4)), _mm256_set1_epi32(0x0F0F0F0F));
  const __m256i first_byte =
      _mm256_set_epi32(0x0C0C0C0C, 0x08080808, 0x04040404, 0, 0x0C0C0C0C, 0x08080808, 0x04040404, 0);
  __m256i index = _mm256_add_epi8(_mm256_and_si256(s, _mm256_set1_epi8(3)), first_byte);
  __m256i bytes =
      _mm256_blendv_epi8(_mm256_shuffle_epi8(a, index), _mm256_shuffle_epi8(b, index), _mm256_slli_epi32(s, 5));
  __m256i signs = _mm256_cmpgt_epi8(_mm256_setzero_si256(), bytes);
  return _mm256_blendv_epi8(bytes, signs, _mm256_slli_epi32(s, 4));
}
#endif

void permute_all(const uint32_t* a, const uint32_t* b, const uint32_t* c, uint32_t* d) {
#if defined(__AVX2__)
  for (int i = 0; i < lanes; i += 8) {
    auto load = [i](const uint32_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + i)); };
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(d + i), permute_eight(load(a), load(b), load(c)));
  }
#else
  for (int i = 0; i < lanes; ++i) d[i] = permute(a[i], b[i], c[i]);
#endif
}

const Op* prmt(Warp& w, const Op* op, uint32_t exec) {
  uint32_t* d = destination<uint32_t>(w, op->d);
  const uint32_t *a = source<uint32_t>(w, op->a), *b = source<uint32_t>(w, op->b), *c = source<uint32_t>(w, op->c);
  if (writes_all(w, exec)) {
    permute_all(a, b, c, d);
  } else {
    alignas(64) uint32_t r[lanes];
    permute_all(a, b, c, r);
    commit(d, r, exec);
  }
  return op + 1;
}

// The selectors of the special modes, by c & 3.
constexpr uint32_t selectors[6][4] = {
    {0x3210, 0x4321, 0x5432, 0x6543},  // f4e
    {0x5670, 0x6701, 0x7012, 0x0123},  // b4e
    {0x0000, 0x1111, 0x2222, 0x3333},  // rc8
    {0x3210, 0x3211, 0x3222, 0x3333},  // ecl
    {0x0000, 0x1110, 0x2210, 0x3210},  // ecr
    {0x1010, 0x3232, 0x1010, 0x3232},  // rc16
};

const Op* prmt_mode(Warp& w, const Op* op, uint32_t exec) {
  uint32_t* d = destination<uint32_t>(w, op->d);
  const uint32_t *a = source<uint32_t>(w, op->a), *b = source<uint32_t>(w, op->b), *c = source<uint32_t>(w, op->c);
  const uint32_t* row = selectors[op->small[0]];
  each_lane(w, d, exec, [=](int i) { return permute(a[i], b[i], row[c[i] & 3]); });
  return op + 1;
}

// The position of the n-th set bit at or after (n < 0: before) base; n == 0: base itself if set.
const Op* fns(Warp& w, const Op* op, uint32_t exec) {
  uint32_t* d = destination<uint32_t>(w, op->d);
  const uint32_t *mask = source<uint32_t>(w, op->a), *base = source<uint32_t>(w, op->b);
  const int32_t* offset = source<int32_t>(w, op->c);
  for_lanes(exec, [=](int i) {
    int32_t n = offset[i], p = static_cast<int32_t>(base[i]), step = n < 0 ? -1 : 1;
    int32_t left = n == 0 ? 1 : n < 0 ? -n : n;
    d[i] = ~0u;
    for (; p >= 0 && p < 32; p += step) {
      if ((mask[i] >> p & 1) && --left == 0) {
        d[i] = static_cast<uint32_t>(p);
        break;
      }
      if (n == 0) break;
    }
  });
  return op + 1;
}

// ---- decoding ----

template <class F>
void decode_logic(Decoder& d) {
  d.set_class(OpClass::integer);
  Type t = d.take_type();
  d.expect_operands(3);
  if (t == Type::pred) {
    d.op.d = d.predicate_destination(d.operand(0));
    d.op.a = d.predicate_source(d.operand(1));
    d.op.b = d.predicate_source(d.operand(2));
    return d.emit(&predicate_logic<F>);
  }
  d.op.d = d.destination(0, t);
  d.op.a = d.source(1, t);
  d.op.b = d.source(2, t);
  d.emit(for_type<uint16_t, uint32_t, uint64_t>(t, [](auto x) -> OpFunction { return &binary<decltype(x), F>; }));
}

void decode_not(Decoder& d) {
  d.set_class(OpClass::integer);
  Type t = d.take_type();
  d.expect_operands(2);
  if (t == Type::pred) {
    d.op.d = d.predicate_destination(d.operand(0));
    d.op.a = d.predicate_source(d.operand(1));
    return d.emit(&predicate_not);
  }
  d.op.d = d.destination(0, t);
  d.op.a = d.source(1, t);
  d.emit(for_type<uint16_t, uint32_t, uint64_t>(
      t, [](auto x) -> OpFunction { return &unary<decltype(x), decltype(x), Not>; }));
}

void decode_cnot(Decoder& d) {
  d.set_class(OpClass::integer);
  Type t = d.take_type();
  d.expect_operands(2);
  d.op.d = d.destination(0, t);
  d.op.a = d.source(1, t);
  d.emit(for_type<uint16_t, uint32_t, uint64_t>(
      t, [](auto x) -> OpFunction { return &unary<decltype(x), decltype(x), CNot>; }));
}

void decode_shift(Decoder& d) {
  d.set_class(OpClass::integer);
  bool left = d.in.opcode == "shl";
  Type t = d.take_type();
  d.expect_operands(3);
  d.op.d = d.destination(0, t);
  d.op.a = d.source(1, t);
  d.op.b = d.source(2, Type::u32);
  if (left)
    return d.emit(
        for_type<uint16_t, uint32_t, uint64_t>(t, [](auto x) -> OpFunction { return &shift<decltype(x), Shl>; }));
  d.emit(for_type<uint16_t, int16_t, uint32_t, int32_t, uint64_t, int64_t>(
      t, [](auto x) -> OpFunction { return &shift<decltype(x), Shr>; }));
}

void decode_shf(Decoder& d) {
  d.set_class(OpClass::integer);
  bool left = d.take_one_of({"l", "r"}) == 0, clamp = d.take_one_of({"clamp", "wrap"}) == 0;
  Type t = d.take_type();
  if (t != Type::b32) d.fail("shf needs .b32");
  d.expect_operands(4);
  d.op.d = d.destination(0, t);
  d.op.a = d.source(1, t);
  d.op.b = d.source(2, t);
  d.op.c = d.source(3, Type::u32);
  d.emit(left ? (clamp ? &shf<true, true> : &shf<true, false>) : (clamp ? &shf<false, true> : &shf<false, false>));
}

void decode_lop3(Decoder& d) {
  d.set_class(OpClass::integer);
  int combine = d.take_one_of({"or", "and"});
  d.take_type();
  d.expect_operands(combine < 0 ? 5 : 6);
  const Operand& first = d.operand(0);
  if (combine >= 0) {
    if (first.kind != OperandKind::pair) d.fail("lop3 with a predicate needs d|p");
    d.op.d = d.destination(first.elements[0], Type::b32);
    d.op.e = d.predicate_destination(first.elements[1]);
    OperandRef* list = d.list(1);
    list[0] = d.predicate_source(d.operand(5));
    d.op.small[0] = static_cast<uint16_t>(combine);
  } else {
    d.op.d = d.destination(0, Type::b32);
  }
  d.op.a = d.source(1, Type::b32);
  d.op.b = d.source(2, Type::b32);
  d.op.c = d.source(3, Type::b32);
  uint64_t lut = d.immediate(d.operand(4));
  if (lut > 255) d.fail("the table of lop3 has 8 bits");
  d.op.imm = static_cast<int64_t>(lut);
  d.emit(combine < 0 ? &lop3 : &lop3_predicate);
}

template <class F>
void decode_count(Decoder& d) {  // the result has 32 bits
  d.set_class(OpClass::integer);
  Type t = d.take_type();
  d.expect_operands(2);
  d.op.d = d.destination(0, Type::u32);
  d.op.a = d.source(1, t);
  d.emit(for_type<uint32_t, uint64_t>(t, [](auto x) -> OpFunction { return &unary<uint32_t, decltype(x), F>; }));
}

void decode_bfind(Decoder& d) {
  d.set_class(OpClass::integer);
  bool amount = d.take("shiftamt");
  Type t = d.take_type();
  d.expect_operands(2);
  d.op.d = d.destination(0, Type::u32);
  d.op.a = d.source(1, t);
  d.emit(for_type<uint32_t, int32_t, uint64_t, int64_t>(t, [&](auto x) -> OpFunction {
    using T = decltype(x);
    return amount ? &unary<uint32_t, T, Bfind<true>> : &unary<uint32_t, T, Bfind<false>>;
  }));
}

void decode_brev(Decoder& d) {
  d.set_class(OpClass::integer);
  Type t = d.take_type();
  d.expect_operands(2);
  d.op.d = d.destination(0, t);
  d.op.a = d.source(1, t);
  d.emit(for_type<uint32_t, uint64_t>(t, [](auto x) -> OpFunction { return &unary<decltype(x), decltype(x), Brev>; }));
}

void decode_bfe(Decoder& d) {
  d.set_class(OpClass::integer);
  Type t = d.take_type();
  d.expect_operands(4);
  d.op.d = d.destination(0, t);
  d.op.a = d.source(1, t);
  d.op.b = d.source(2, Type::u32);
  d.op.c = d.source(3, Type::u32);
  d.emit(for_type<uint32_t, int32_t, uint64_t, int64_t>(t, [](auto x) -> OpFunction { return &bfe<decltype(x)>; }));
}

void decode_bfi(Decoder& d) {
  d.set_class(OpClass::integer);
  Type t = d.take_type();
  d.expect_operands(5);
  d.op.d = d.destination(0, t);
  d.op.a = d.source(1, t);
  d.op.b = d.source(2, t);
  d.op.c = d.source(3, Type::u32);
  d.op.e = d.source(4, Type::u32);
  d.emit(for_type<uint32_t, uint64_t>(t, [](auto x) -> OpFunction { return &bfi<decltype(x)>; }));
}

void decode_bmsk(Decoder& d) {
  d.set_class(OpClass::integer);
  bool wrap = d.take_one_of({"clamp", "wrap"}) == 1;
  Type t = d.take_type();
  d.expect_operands(3);
  d.op.d = d.destination(0, t);
  d.op.a = d.source(1, Type::u32);
  d.op.b = d.source(2, Type::u32);
  d.emit(wrap ? &bmsk<true> : &bmsk<false>);
}

void decode_szext(Decoder& d) {
  d.set_class(OpClass::integer);
  bool wrap = d.take_one_of({"clamp", "wrap"}) == 1;
  Type t = d.take_type();
  d.expect_operands(3);
  d.op.d = d.destination(0, t);
  d.op.a = d.source(1, t);
  d.op.b = d.source(2, Type::u32);
  d.emit(for_type<uint32_t, int32_t>(t, [&](auto x) -> OpFunction {
    using T = decltype(x);
    return wrap ? &szext<T, true> : &szext<T, false>;
  }));
}

void decode_prmt(Decoder& d) {
  d.set_class(OpClass::integer);
  d.take_type();
  int mode = d.take_one_of({"f4e", "b4e", "rc8", "ecl", "ecr", "rc16"});
  d.expect_operands(4);
  d.op.d = d.destination(0, Type::b32);
  d.op.a = d.source(1, Type::b32);
  d.op.b = d.source(2, Type::b32);
  d.op.c = d.source(3, Type::b32);
  d.op.small[0] = static_cast<uint16_t>(mode);
  d.emit(mode < 0 ? &prmt : &prmt_mode);
}

void decode_fns(Decoder& d) {
  d.set_class(OpClass::integer);
  d.take_type();
  d.expect_operands(4);
  d.op.d = d.destination(0, Type::b32);
  d.op.a = d.source(1, Type::b32);
  d.op.b = d.source(2, Type::b32);
  d.op.c = d.source(3, Type::b32);
  d.emit(&fns);
}

}  // namespace

void add_bit_opcodes(Opcodes& table) {
  table["and"] = decode_logic<And>;
  table["or"] = decode_logic<Or>;
  table["xor"] = decode_logic<Xor>;
  table["not"] = decode_not;
  table["cnot"] = decode_cnot;
  table["shl"] = table["shr"] = decode_shift;
  table["shf"] = decode_shf;
  table["lop3"] = decode_lop3;
  table["popc"] = decode_count<Popc>;
  table["clz"] = decode_count<Clz>;
  table["bfind"] = decode_bfind;
  table["brev"] = decode_brev;
  table["bfe"] = decode_bfe;
  table["bfi"] = decode_bfi;
  table["bmsk"] = decode_bmsk;
  table["szext"] = decode_szext;
  table["prmt"] = decode_prmt;
  table["fns"] = decode_fns;
}

}  // namespace simulator
