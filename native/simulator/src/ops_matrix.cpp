// Matrix products of a warp (mma.sync) and the loads and stores of their fragments.
//
// A fragment spreads a matrix over the lanes: with group = lane / 4 and place = lane % 4, a register of A
// holds elements of row `group` (or group + 8), a register of B elements of column `group`, a register of C
// or D two of row `group`.
#include <cmath>

#include "access.h"
#include "decode.h"
#include "numeric.h"
#include "report.h"

namespace simulator {

namespace {

struct Shape {
  int m, n, k;
};

// Registers: list = d..., a..., b..., c...; small[0] flags of a kernel, see each body.
struct MatrixOperands {
  Shape shape;
  Type d, a, b, c;
  unsigned d_count, a_count, b_count, c_count;
};

// Null when the whole warp is here; else where the group goes on: lanes that were preempted on their way to the
// instruction are waited for.
const Op* lacks_lanes(Warp& w, const Op* op, uint32_t exec) {
  if (exec == full) return nullptr;
  for (const Group& g : w.groups)
    if (g.state == GroupState::preempted) return park(w, op, GroupState::preempted);
  fault(op, -1, Fault::launch_failed, format("a matrix instruction of a part of the warp (lanes 0x%08x)", exec));
}

// Element e of the packed elements in a 32-bit register, as float.
float element(Type t, uint32_t bits, int e) {
  switch (t) {
    case Type::f16:
      return f16_to_float(static_cast<uint16_t>(bits >> (16 * e)));
    case Type::bf16:
      return bf16_to_float(static_cast<uint16_t>(bits >> (16 * e)));
    case Type::e4m3:
      return e4m3_to_float(static_cast<uint8_t>(bits >> (8 * e)));
    case Type::e5m2:
      return e5m2_to_float(static_cast<uint8_t>(bits >> (8 * e)));
    default:
      return to_tf32(bit_cast<float>(bits), Rounding::zero);
  }
}

int per_register(Type t) { return 4 / static_cast<int>(type_bytes(t)); }

// Visits every element of A (16 or 8 rows): f(row, column, register, lane, element).
template <class F>
void each_of_a(const MatrixOperands& o, F f) {
  int per = per_register(o.a), rows = o.shape.m / 8;
  for (unsigned r = 0; r < o.a_count; ++r)
    for (int lane = 0; lane < lanes; ++lane)
      for (int e = 0; e < per; ++e) {
        int row = lane / 4 + 8 * (static_cast<int>(r) % rows);
        int column = (lane % 4) * per + e + 4 * per * (static_cast<int>(r) / rows);
        f(row, column, r, lane, e);
      }
}
template <class F>
void each_of_b(const MatrixOperands& o, F f) {
  int per = per_register(o.b);
  for (unsigned r = 0; r < o.b_count; ++r)
    for (int lane = 0; lane < lanes; ++lane)
      for (int e = 0; e < per; ++e) f((lane % 4) * per + e + 4 * per * static_cast<int>(r), lane / 4, r, lane, e);
}

// Sums in f32 in the order of k; products are exact. small[0]: accumulators are f16.
const Op* multiply_floats(Warp& w, const Op* op, uint32_t exec) {
  if (const Op* next = lacks_lanes(w, op, exec)) return next;
  const MatrixOperands& o = *static_cast<const MatrixOperands*>(op->data);
  const OperandRef *rd = op->list, *ra = rd + o.d_count, *rb = ra + o.a_count, *rc = rb + o.b_count;
  alignas(64) float a[32][16] = {}, b[32][8] = {}, sum[16][8];  // a: by k, then row
  each_of_a(o, [&](int row, int column, unsigned r, int lane, int e) {
    a[column][row] = element(o.a, source<uint32_t>(w, ra[r])[lane], e);
  });
  each_of_b(o, [&](int row, int column, unsigned r, int lane, int e) {
    b[row][column] = element(o.b, source<uint32_t>(w, rb[r])[lane], e);
  });
  bool c16 = o.c == Type::f16, d16 = o.d == Type::f16;
  for (int lane = 0; lane < lanes; ++lane)
    for (int i = 0; i < 4; ++i) {
      int row = lane / 4 + 8 * (i / 2), column = (lane % 4) * 2 + i % 2;
      sum[row][column] =
          c16 ? element(Type::f16, source<uint32_t>(w, rc[i / 2])[lane], i % 2) : source<float>(w, rc[i])[lane];
    }
  for (int k = 0; k < o.shape.k; ++k)
    for (int row = 0; row < 16; ++row)
      for (int column = 0; column < 8; ++column) sum[row][column] += a[k][row] * b[k][column];
  for (int lane = 0; lane < lanes; ++lane)
    for (int i = 0; i < 4; ++i) {
      float value = canonical(sum[lane / 4 + 8 * (i / 2)][(lane % 4) * 2 + i % 2]);
      if (d16) {
        uint32_t half = float_to_f16(value);
        uint32_t& to = destination<uint32_t>(w, rd[i / 2])[lane];
        to = i % 2 ? (to & 0xFFFF) | half << 16 : half;
      } else {
        destination<float>(w, rd[i])[lane] = value;
      }
    }
  if (w.worker->counters)
    w.worker->counters->mma_flop += 2ull * static_cast<uint64_t>(o.shape.m * o.shape.n * o.shape.k);
  return op + 1;
}

// small[0]: saturate
const Op* multiply_integers(Warp& w, const Op* op, uint32_t exec) {
  if (const Op* next = lacks_lanes(w, op, exec)) return next;
  const MatrixOperands& o = *static_cast<const MatrixOperands*>(op->data);
  const OperandRef *rd = op->list, *ra = rd + o.d_count, *rb = ra + o.a_count, *rc = rb + o.b_count;
  alignas(64) int32_t a[32][16] = {}, b[32][8] = {};
  int64_t sum[16][8];
  auto byte = [](Type t, uint32_t bits, int e) {
    uint32_t x = bits >> (8 * e) & 0xFF;
    return t == Type::s8 ? static_cast<int32_t>(static_cast<int8_t>(x)) : static_cast<int32_t>(x);
  };
  each_of_a(o, [&](int row, int column, unsigned r, int lane, int e) {
    a[column][row] = byte(o.a, source<uint32_t>(w, ra[r])[lane], e);
  });
  each_of_b(o, [&](int row, int column, unsigned r, int lane, int e) {
    b[row][column] = byte(o.b, source<uint32_t>(w, rb[r])[lane], e);
  });
  int results = static_cast<int>(o.d_count);
  auto place = [&](int lane, int i) -> int64_t& { return sum[lane / 4 + 8 * (i / 2)][(lane % 4) * 2 + i % 2]; };
  for (int lane = 0; lane < lanes; ++lane)
    for (int i = 0; i < results; ++i) place(lane, i) = source<int32_t>(w, rc[i])[lane];
  for (int k = 0; k < o.shape.k; ++k)
    for (int row = 0; row < o.shape.m; ++row)
      for (int column = 0; column < 8; ++column) sum[row][column] += int64_t{a[k][row]} * b[k][column];
  for (int lane = 0; lane < lanes; ++lane)
    for (int i = 0; i < results; ++i) {
      int64_t value = place(lane, i);
      if (op->small[0]) value = value > INT32_MAX ? INT32_MAX : value < INT32_MIN ? INT32_MIN : value;
      destination<int32_t>(w, rd[i])[lane] = static_cast<int32_t>(value);
    }
  if (w.worker->counters)
    w.worker->counters->mma_flop += 2ull * static_cast<uint64_t>(o.shape.m * o.shape.n * o.shape.k);
  return op + 1;
}

// m8n8k4 of f64.
const Op* multiply_doubles(Warp& w, const Op* op, uint32_t exec) {
  if (const Op* next = lacks_lanes(w, op, exec)) return next;
  const OperandRef* r = op->list;  // d0 d1 a b c0 c1
  double a[8][4], b[4][8], sum[8][8];
  for (int lane = 0; lane < lanes; ++lane) {
    a[lane / 4][lane % 4] = source<double>(w, r[2])[lane];
    b[lane % 4][lane / 4] = source<double>(w, r[3])[lane];
    for (int i = 0; i < 2; ++i) sum[lane / 4][(lane % 4) * 2 + i] = source<double>(w, r[4 + i])[lane];
  }
  for (int k = 0; k < 4; ++k)
    for (int row = 0; row < 8; ++row)
      for (int column = 0; column < 8; ++column) sum[row][column] = std::fma(a[row][k], b[k][column], sum[row][column]);
  for (int lane = 0; lane < lanes; ++lane)
    for (int i = 0; i < 2; ++i) destination<double>(w, r[i])[lane] = sum[lane / 4][(lane % 4) * 2 + i];
  if (w.worker->counters) w.worker->counters->mma_flop += 2 * 8 * 8 * 4;
  return op + 1;
}

// ---- 8x8 matrices of 16-bit elements ----

// small[0]: matrices; small[1]: transposed; small[3]: narrow address
const Op* load_matrices(Warp& w, const Op* op, uint32_t exec) {
  if (const Op* next = lacks_lanes(w, op, exec)) return next;
  int count = op->small[0];
  Addresses addresses;
  read_addresses(w, op->a, op->small[3] != 0, op->imm, addresses);
  uint32_t used = count == 4 ? full : (1u << (8 * count)) - 1;
  Access rows;
  if (op->small[2]) {
    resolve<Space::generic>(w, op, used, AccessKind::load, addresses, 16, rows);
  } else {
    resolve<Space::shared>(w, op, used, AccessKind::load, addresses, 16, rows);
  }
  for (int m = 0; m < count; ++m) {
    uint16_t matrix[8][8];
    for (int row = 0; row < 8; ++row) std::memcpy(matrix[row], rows.pointer[8 * m + row], 16);
    uint32_t* d = destination<uint32_t>(w, op->list[m]);
    for (int lane = 0; lane < lanes; ++lane) {
      int outer = lane / 4, inner = (lane % 4) * 2;
      d[lane] = op->small[1] ? matrix[inner][outer] | static_cast<uint32_t>(matrix[inner + 1][outer]) << 16
                             : matrix[outer][inner] | static_cast<uint32_t>(matrix[outer][inner + 1]) << 16;
    }
  }
  return op + 1;
}

const Op* store_matrices(Warp& w, const Op* op, uint32_t exec) {
  if (const Op* next = lacks_lanes(w, op, exec)) return next;
  int count = op->small[0];
  Addresses addresses;
  read_addresses(w, op->a, op->small[3] != 0, op->imm, addresses);
  uint32_t used = count == 4 ? full : (1u << (8 * count)) - 1;
  Access rows;
  if (op->small[2]) {
    resolve<Space::generic>(w, op, used, AccessKind::store, addresses, 16, rows);
  } else {
    resolve<Space::shared>(w, op, used, AccessKind::store, addresses, 16, rows);
  }
  ++w.writes;
  for (int m = 0; m < count; ++m) {
    uint16_t matrix[8][8];
    const uint32_t* from = source<uint32_t>(w, op->list[m]);
    for (int lane = 0; lane < lanes; ++lane)
      for (int e = 0; e < 2; ++e) {
        int outer = lane / 4, inner = (lane % 4) * 2 + e;
        (op->small[1] ? matrix[inner][outer] : matrix[outer][inner]) = static_cast<uint16_t>(from[lane] >> (16 * e));
      }
    for (int row = 0; row < 8; ++row) std::memcpy(rows.pointer[8 * m + row], matrix[row], 16);
  }
  return op + 1;
}

const Op* transpose_matrix(Warp& w, const Op* op, uint32_t exec) {
  if (const Op* next = lacks_lanes(w, op, exec)) return next;
  uint16_t matrix[8][8];
  const uint32_t* a = source<uint32_t>(w, op->a);
  for (int lane = 0; lane < lanes; ++lane)
    for (int e = 0; e < 2; ++e) matrix[lane / 4][(lane % 4) * 2 + e] = static_cast<uint16_t>(a[lane] >> (16 * e));
  uint32_t* d = destination<uint32_t>(w, op->d);
  for (int lane = 0; lane < lanes; ++lane) {
    int inner = (lane % 4) * 2;
    d[lane] = matrix[inner][lane / 4] | static_cast<uint32_t>(matrix[inner + 1][lane / 4]) << 16;
  }
  return op + 1;
}

// ---- decoding ----

struct Form {
  const char* shape;
  Shape size;
  Type a;  // element type that selects the form
  unsigned a_count, b_count;
};
constexpr Form forms[] = {
    {"m16n8k8", {16, 8, 8}, Type::f16, 2, 1},    {"m16n8k16", {16, 8, 16}, Type::f16, 4, 2},
    {"m16n8k8", {16, 8, 8}, Type::bf16, 2, 1},   {"m16n8k16", {16, 8, 16}, Type::bf16, 4, 2},
    {"m16n8k4", {16, 8, 4}, Type::tf32, 2, 1},   {"m16n8k8", {16, 8, 8}, Type::tf32, 4, 2},
    {"m16n8k32", {16, 8, 32}, Type::e4m3, 4, 2}, {"m16n8k32", {16, 8, 32}, Type::e5m2, 4, 2},
    {"m16n8k16", {16, 8, 16}, Type::s8, 2, 1},   {"m16n8k32", {16, 8, 32}, Type::s8, 4, 2},
    {"m16n8k16", {16, 8, 16}, Type::u8, 2, 1},   {"m16n8k32", {16, 8, 32}, Type::u8, 4, 2},
    {"m8n8k16", {8, 8, 16}, Type::s8, 1, 1},     {"m8n8k16", {8, 8, 16}, Type::u8, 1, 1},
    {"m8n8k4", {8, 8, 4}, Type::f64, 1, 1},
};

void decode_mma(Decoder& d) {
  d.set_class(OpClass::mma);
  if (!d.take("sync")) d.fail("mma needs .sync");
  d.take("aligned");
  const Form* found = nullptr;
  std::string shape;
  for (const Form& f : forms)
    if (shape.empty() && d.take(f.shape)) shape = f.shape;
  if (!d.take("row") || !d.take("col")) d.fail("mma needs .row.col");
  d.op.small[0] = d.take("satfinite");
  MatrixOperands o{};
  o.d = d.take_type();
  o.a = d.take_type();
  o.b = d.take_type();
  o.c = d.take_type();
  for (const Form& f : forms)
    if (shape == f.shape && o.a == f.a) found = &f;
  if (!found) d.fail("this mma is not supported");
  o.shape = found->size;
  o.a_count = found->a_count;
  o.b_count = found->b_count;
  bool doubles = o.a == Type::f64, integers = o.a == Type::s8 || o.a == Type::u8;
  auto results = [&](Type t) { return t == Type::f16 || doubles || o.shape.m == 8 ? 2u : 4u; };
  o.d_count = results(o.d);
  o.c_count = results(o.c);
  d.expect_operands(4);
  OperandRef* list = d.list(o.d_count + o.a_count + o.b_count + o.c_count);
  auto elements = [&](size_t n, unsigned count) -> std::vector<Operand> {
    const Operand& v = d.operand(n);
    std::vector<Operand> result = v.kind == OperandKind::vector ? v.elements : std::vector<Operand>{v};
    if (result.size() != count) d.fail("a fragment has a wrong number of registers");
    return result;
  };
  Type word = doubles ? Type::b64 : Type::b32;
  unsigned at = 0;
  for (const Operand& r : elements(0, o.d_count)) list[at++] = d.destination(r, word);
  for (const Operand& r : elements(1, o.a_count)) list[at++] = d.source(r, word);
  for (const Operand& r : elements(2, o.b_count)) list[at++] = d.source(r, word);
  for (const Operand& r : elements(3, o.c_count))
    list[at++] = d.source(r, doubles ? Type::f64 : o.c == Type::f32 ? Type::f32 : Type::b32);
  d.op.data = d.out.new_data(o);
  d.emit(doubles ? &multiply_doubles : integers ? &multiply_integers : &multiply_floats);
}

void decode_matrix_access(Decoder& d) {
  bool stores = d.in.opcode == "stmatrix";
  d.set_class(stores ? OpClass::st_shared : OpClass::ld_shared);
  if (!d.take("sync") || !d.take("aligned") || !d.take("m8n8")) d.fail("only .sync.aligned.m8n8 is known");
  int x = d.take_one_of({"x1", "x2", "x4"});
  unsigned count = x < 0 ? 0 : 1u << x;
  if (!count) d.fail("needs .x1, .x2 or .x4");
  d.op.small[0] = static_cast<uint16_t>(count);
  d.op.small[1] = d.take("trans");
  bool shared = d.take("shared") || d.take("shared::cta");
  d.op.small[2] = !shared;
  if (d.take_type() != Type::b16) d.fail("the elements must be .b16");
  d.expect_operands(2);
  bool narrow = false;
  d.op.a = d.address(d.operand(stores ? 0 : 1), shared ? Space::shared : Space::generic, &narrow);
  d.op.small[3] = narrow;
  const Operand& v = d.operand(stores ? 1 : 0);
  std::vector<Operand> registers = v.kind == OperandKind::vector ? v.elements : std::vector<Operand>{v};
  if (registers.size() != count) d.fail("the vector has a wrong number of registers");
  OperandRef* list = d.list(count);
  for (unsigned i = 0; i < count; ++i)
    list[i] = stores ? d.source(registers[i], Type::b32) : d.destination(registers[i], Type::b32);
  d.emit(stores ? &store_matrices : &load_matrices);
}

void decode_movmatrix(Decoder& d) {
  d.set_class(OpClass::shuffle);
  if (!d.take("sync") || !d.take("aligned") || !d.take("m8n8") || !d.take("trans")) d.fail("unknown form of movmatrix");
  d.take_type();
  d.expect_operands(2);
  d.op.d = d.destination(0, Type::b32);
  d.op.a = d.source(1, Type::b32);
  d.emit(&transpose_matrix);
}

}  // namespace

void add_matrix_opcodes(Opcodes& table) {
  table["mma"] = decode_mma;
  table["ldmatrix"] = table["stmatrix"] = decode_matrix_access;
  table["movmatrix"] = decode_movmatrix;
}

}  // namespace simulator
