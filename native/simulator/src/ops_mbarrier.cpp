// mbarrier: barriers in shared memory that count arrivals and transactions.
#include "access.h"
#include "decode.h"
#include "mbarrier.h"
#include "report.h"

namespace simulator {

Space take_space(Decoder& d);

namespace {

void resolve_barriers(Warp& w, const Op* op, uint32_t exec, Access& access) {
  Addresses addresses;
  read_addresses(w, op->a, op->small[3] != 0, op->imm, addresses);
  if (op->small[2]) {
    resolve<Space::shared>(w, op, exec, AccessKind::atomic, addresses, 8, access);
  } else {
    resolve<Space::generic>(w, op, exec, AccessKind::atomic, addresses, 8, access);
  }
}

const Op* init(Warp& w, const Op* op, uint32_t exec) {
  Access access;
  resolve_barriers(w, op, exec, access);
  const uint32_t* count = source<uint32_t>(w, op->b);
  for_lanes(exec, [&](int i) {
    if (count[i] == 0 || count[i] > 0xFFFFF)
      fault(op, i, Fault::launch_failed, format("mbarrier for %u arrivals", count[i]));
    mbarrier::store(access.pointer[i], {count[i], count[i], 0, false});
  });
  ++w.writes;
  return op + 1;
}

const Op* invalidate(Warp& w, const Op* op, uint32_t exec) {
  Access access;
  resolve_barriers(w, op, exec, access);
  for_lanes(exec, [&](int i) { std::memset(access.pointer[i], 0xFF, 8); });
  return op + 1;
}

// small[0]: 1 expect_tx only, 2 complete_tx, 0 arrive; b: count or none, c: bytes or none; small[1]: drop
const Op* arrive(Warp& w, const Op* op, uint32_t exec) {
  Access access;
  resolve_barriers(w, op, exec, access);
  const uint32_t* count = op->b == no_operand ? nullptr : source<uint32_t>(w, op->b);
  const uint32_t* bytes = op->c == no_operand ? nullptr : source<uint32_t>(w, op->c);
  uint64_t* d = op->d == no_operand ? nullptr : destination<uint64_t>(w, op->d);
  for_lanes(exec, [&](int i) {
    if (op->small[0] == 2) return mbarrier::complete_transactions(access.pointer[i], static_cast<int32_t>(bytes[i]));
    uint32_t n = op->small[0] == 1 ? 0 : count ? count[i] : 1;
    mbarrier::State s = mbarrier::load(access.pointer[i]);
    if (n > s.pending)
      fault(op, i, Fault::launch_failed, format("%u arrivals at an mbarrier that %u are pending at", n, s.pending));
    uint64_t before =
        mbarrier::arrive(access.pointer[i], n, bytes ? static_cast<int32_t>(bytes[i]) : 0, op->small[1] ? n : 0);
    if (d) d[i] = before;
  });
  ++w.writes;
  return op + 1;
}

template <bool parity>
const Op* test_wait(Warp& w, const Op* op, uint32_t exec) {
  Access access;
  resolve_barriers(w, op, exec, access);
  uint32_t done = 0;
  for_lanes(exec, [&](int i) {
    bool phase = mbarrier::load(access.pointer[i]).phase;
    bool waited = parity ? (source<uint32_t>(w, op->b)[i] & 1) != 0 : source<uint64_t>(w, op->b)[i] >> 63 != 0;
    done |= (phase != waited ? 1u : 0u) << i;
  });
  set_predicate(w, op->d, exec, done);
  w.polled = true;
  return op + 1;
}

const Op* pending_count(Warp& w, const Op* op, uint32_t exec) {
  const uint64_t* a = source<uint64_t>(w, op->a);
  uint32_t* d = destination<uint32_t>(w, op->d);
  for_lanes(exec, [&](int i) { d[i] = static_cast<uint32_t>(a[i] & 0xFFFFF); });
  return op + 1;
}

void decode_mbarrier(Decoder& d) {
  d.set_class(OpClass::barrier);
  if (d.take("pending_count")) {
    d.take_type();
    d.expect_operands(2);
    d.op.d = d.destination(0, Type::u32);
    d.op.a = d.source(1, Type::b64);
    return d.emit(&pending_count);
  }
  int kind = d.take_one_of({"init", "inval", "complete_tx", "arrive", "arrive_drop", "test_wait", "try_wait"});
  bool expect = d.take("expect_tx"), parity = d.take("parity");
  d.take("noComplete");
  d.take_one_of({"release", "acquire", "relaxed"});
  d.take_one_of({"cta", "cluster"});
  Space space = take_space(d);
  d.take_type();
  auto place = [&](size_t n) {
    bool narrow = false;
    d.op.a = d.address(d.operand(n), space, &narrow);
    d.op.small[3] = narrow;
    d.op.small[2] = space == Space::shared;
  };
  switch (kind) {
    case 0:
      d.expect_operands(2);
      place(0);
      d.op.b = d.source(1, Type::u32);
      return d.emit(&init);
    case 1:
      d.expect_operands(1);
      place(0);
      return d.emit(&invalidate);
    case 3:
    case 4: {
      size_t at = d.operand(0).kind == OperandKind::address ? 0 : 1;
      if (at == 1 && d.operand(0).kind != OperandKind::sink) d.op.d = d.destination(0, Type::b64);
      place(at);
      if (d.count() > at + 1) (expect ? d.op.c : d.op.b) = d.source(at + 1, Type::u32);
      d.op.small[1] = kind == 4;
      return d.emit(&arrive);
    }
    case 5:
    case 6:
      d.expect_operands(3, kind == 6 ? 4 : 3);
      d.op.d = d.predicate_destination(d.operand(0));
      place(1);
      d.op.b = d.source(2, parity ? Type::u32 : Type::b64);
      if (d.count() == 4) d.source(3, Type::u32);
      return d.emit(parity ? &test_wait<true> : &test_wait<false>);
    default:
      if (kind != 2 && !expect) d.fail("unknown form of mbarrier");
      d.expect_operands(2);
      place(0);
      d.op.c = d.source(1, Type::u32);
      d.op.small[0] = kind == 2 ? 2 : 1;
      return d.emit(&arrive);
  }
}

}  // namespace

void add_mbarrier_opcodes(Opcodes& table) { table["mbarrier"] = decode_mbarrier; }

}  // namespace simulator
