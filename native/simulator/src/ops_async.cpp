// cp.async: copies to shared memory that go on while the thread does.
#include <algorithm>

#include "access.h"
#include "async_copies.h"
#include "decode.h"
#include "mbarrier.h"
#include "races.h"
#include "report.h"

namespace simulator {

void AsyncCopies::wait(Warp& w, const Op* op, uint32_t exec, uint64_t kept, bool all) {
  for (Copy& copy : copies)
    for_lanes(copy.mask & exec, [&](int i) {
      if (!all && copy.group[i] + kept >= open_group[i]) return;
      std::memcpy(copy.to[i], copy.data[i], copy.bytes);
      if (w.block->races) {
        uint64_t address[lanes];
        address[i] = static_cast<uint64_t>(copy.to[i] - w.block->shared.get());
        w.block->races->access(w, op, 1u << i, AccessKind::store, false, true, address, copy.bytes);
      }
      copy.mask &= ~(1u << i);
    });
  copies.erase(std::remove_if(copies.begin(), copies.end(), [](const Copy& c) { return c.mask == 0; }), copies.end());
}

namespace {

AsyncCopies& async_of(Warp& w) {
  if (!w.async) w.async = std::make_shared<AsyncCopies>();
  return *w.async;
}

// a: shared address, list: global address, source size or none, ignore-source predicate or none; small[0]
// bytes; small[3], small[2]: narrow addresses; imm: offset of a; b: constant with the offset of the global
// address.
const Op* copy(Warp& w, const Op* op, uint32_t exec) {
  unsigned bytes = op->small[0];
  Addresses to, from;
  read_addresses(w, op->a, op->small[3] != 0, op->imm, to);
  read_addresses(w, op->list[0], op->small[2] != 0, static_cast<int64_t>(source<uint64_t>(w, op->b)[0]), from);
  Access destination_access;
  resolve<Space::shared>(w, op, exec, AccessKind::store, to, bytes, destination_access);
  uint32_t ignored = op->list[2] == no_operand ? 0 : predicate(w, op->list[2]);
  const uint32_t* size = op->list[1] == no_operand ? nullptr : source<uint32_t>(w, op->list[1]);
  AsyncCopies& async = async_of(w);
  AsyncCopies::Copy copy{};
  copy.mask = exec;
  copy.bytes = static_cast<uint8_t>(bytes);
  uint32_t whole = 0;
  for_lanes(exec, [&](int i) {
    copy.group[i] = async.open_group[i];
    copy.to[i] = destination_access.pointer[i];
    uint32_t wanted = (ignored >> i & 1) ? 0 : size ? size[i] : bytes;
    if (wanted > bytes)
      fault(op, i, Fault::launch_failed, format("cp.async of %u bytes with a source size of %u", bytes, wanted));
    if (from.value[i] % bytes)
      fault(op, i, Fault::misaligned_address,
            format("cp.async of %u bytes from 0x%llx, which is not a multiple of %u", bytes,
                   static_cast<unsigned long long>(from.value[i]), bytes));
    if (wanted == bytes) whole |= 1u << i;
    if (wanted && wanted < bytes) {  // part of it, byte by byte; the rest is zero
      for (uint32_t k = 0; k < wanted; ++k) {
        Addresses one;
        one.value[i] = from.value[i] + k;
        Access access;
        resolve<Space::global>(w, op, 1u << i, AccessKind::load, one, 1, access);
        copy.data[i][k] = *access.pointer[i];
      }
    }
  });
  if (whole) {
    Access access;
    resolve<Space::global>(w, op, whole, AccessKind::load, from, bytes, access);
    for_lanes(whole, [&](int i) { std::memcpy(copy.data[i], access.pointer[i], bytes); });
  }
  async.copies.push_back(copy);
  ++w.writes;
  return op + 1;
}

const Op* commit_group(Warp& w, const Op* op, uint32_t exec) {
  AsyncCopies& async = async_of(w);
  for_lanes(exec, [&](int i) { ++async.open_group[i]; });
  return op + 1;
}

const Op* wait_group(Warp& w, const Op* op, uint32_t exec) {
  if (w.async) w.async->wait(w, op, exec, static_cast<uint64_t>(op->imm), op->small[0] != 0);
  return op + 1;
}

// Arrives at the mbarrier when the copies so far have landed: they land here.
const Op* arrive_when_landed(Warp& w, const Op* op, uint32_t exec) {
  if (w.async) w.async->wait(w, op, exec, 0, true);
  Addresses addresses;
  read_addresses(w, op->a, op->small[3] != 0, op->imm, addresses);
  Access access;
  if (op->small[1]) {
    resolve<Space::shared>(w, op, exec, AccessKind::atomic, addresses, 8, access);
  } else {
    resolve<Space::generic>(w, op, exec, AccessKind::atomic, addresses, 8, access);
  }
  if (!op->small[0]) return op + 1;  // the arrival was added to what is expected: nothing changes
  for_lanes(exec, [&](int i) { mbarrier::arrive(access.pointer[i], 1); });
  ++w.writes;
  return op + 1;
}

void decode_arrive(Decoder& d) {
  d.set_class(OpClass::async);
  d.take("mbarrier");
  if (!d.take("arrive")) d.fail("unknown form of cp.async.mbarrier");
  d.op.small[0] = d.take("noinc");
  bool shared = d.take("shared") || d.take("shared::cta");
  d.take_type();
  d.expect_operands(1);
  bool narrow = false;
  d.op.a = d.address(d.operand(0), shared ? Space::shared : Space::generic, &narrow);
  d.op.small[1] = shared;
  d.op.small[3] = narrow;
  d.emit(&arrive_when_landed);
}

void decode_cp(Decoder& d) {
  d.set_class(OpClass::async);
  if (!d.take("async")) d.fail("only cp.async is known");
  if (d.take("commit_group")) {
    d.expect_operands(0);
    return d.emit(&commit_group);
  }
  if (d.take("wait_all")) {
    d.op.small[0] = 1;
    d.expect_operands(0);
    return d.emit(&wait_group);
  }
  if (d.take("wait_group")) {
    d.expect_operands(1);
    d.op.imm = static_cast<int64_t>(d.immediate(d.operand(0)));
    return d.emit(&wait_group);
  }
  for (const std::string& m : d.in.modifiers) {
    if (m == "mbarrier") return decode_arrive(d);
    if (m == "bulk") d.fail("cp.async.bulk is not supported");
  }
  int cache = d.take_one_of({"ca", "cg"});
  if (cache < 0) d.fail("cp.async needs .ca or .cg");
  if (!d.take("shared") && !d.take("shared::cta")) d.fail("cp.async copies to shared memory");
  if (!d.take("global")) d.fail("cp.async copies from global memory");
  bool hint = d.take("L2::cache_hint");
  d.take_one_of({"L2::64B", "L2::128B", "L2::256B"});
  size_t operands = d.count() - (hint ? 1 : 0);
  if (operands < 3 || operands > 5) d.fail("cp.async with a wrong number of operands");
  uint64_t bytes = d.immediate(d.operand(2));
  if (cache == 1 ? bytes != 16 : bytes != 4 && bytes != 8 && bytes != 16)
    d.fail("this size of cp.async is not allowed");
  d.op.small[0] = static_cast<uint16_t>(bytes);
  OperandRef* list = d.list(3);
  bool narrow = false;
  list[0] = d.address(d.operand(1), Space::global, &narrow);
  d.op.small[2] = narrow;
  d.op.b = d.out.constant(static_cast<uint64_t>(d.op.imm), 8);
  d.op.a = d.address(d.operand(0), Space::shared, &narrow);
  d.op.small[3] = narrow;
  for (size_t i = 3; i < operands; ++i) {
    const Operand& o = d.operand(i);
    if (o.kind == OperandKind::reg && d.out.is_predicate[static_cast<size_t>(o.reg)]) {
      list[2] = d.predicate_source(o);
    } else {
      list[1] = d.source(o, Type::u32);
    }
  }
  d.emit(&copy);
}

}  // namespace

void add_async_opcodes(Opcodes& table) {
  table["cp"] = decode_cp;
  add_mbarrier_opcodes(table);
}

}  // namespace simulator
