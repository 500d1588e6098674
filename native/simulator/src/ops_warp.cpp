// Instructions of a warp together: shuffles, votes, matches, reductions, the barrier of a warp.
#include "decode.h"
#include "lanes.h"
#include "races.h"
#include "report.h"

namespace simulator {

void decode_block_barrier(Decoder& d);

namespace {

// Lanes named by member masks wait for each other. Gives the lanes that may execute now, all of whose
// partners are here; 0 when the group has to wait, and then *next says where it goes on.
uint32_t gather_lanes(Warp& w, const Op* op, uint32_t exec, const uint32_t* member, const Op** next) {
  uint32_t first_mask = member[__builtin_ctz(exec)];
  if (exec == full && first_mask == full) {
    uint32_t differ = 0;
    for (int i = 0; i < lanes; ++i) differ |= member[i] ^ first_mask;
    if (!differ) return exec;
  }
  uint32_t ready = 0, checked = 0;
  for_lanes(exec, [&](int i) {
    if (checked >> i & 1) return;
    uint32_t mask = member[i];
    uint32_t same = 0;
    for_lanes(exec, [&](int k) { same |= (member[k] == mask ? 1u : 0u) << k; });
    checked |= same;
    uint32_t outside = same & ~mask;
    if (outside)
      fault(op, __builtin_ctz(outside), Fault::launch_failed,
            format("member mask 0x%08x does not name the executing lane", mask));
    uint32_t needed = mask & ~w.dead;
    if ((needed & ~same) == 0) ready |= same;
  });
  if (ready == exec) return exec;
  // Lanes of the warp that the guard of the instruction keeps out never come: they are part of this group.
  uint32_t group = w.groups[w.current].mask;
  uint32_t skip = group & ~exec;
  if (!ready) {
    if (skip) {
      w.groups[w.current].mask = exec;
      w.mask = exec;
      Group other = w.groups[w.current];
      other.mask = skip;
      other.pc = op + 1;
      w.groups.push_back(other);
    }
    *next = park(w, op, GroupState::at_sync);
    return 0;
  }
  split(w, exec & ~ready, op, GroupState::at_sync);
  return ready;
}

uint32_t gather(Warp& w, const Op* op, uint32_t exec, const uint32_t* member, const Op** next) {
  exec = gather_lanes(w, op, exec, member, next);
  if (exec && w.block->races) w.block->races->warp_synchronised(w);
  return exec;
}

// ---- shfl ----

enum class Shuffle : uint8_t { up, down, bfly, idx };

template <Shuffle mode>
const Op* shuffle(Warp& w, const Op* op, uint32_t exec) {
  const Op* next = nullptr;
  exec = gather(w, op, exec, source<uint32_t>(w, op->e), &next);
  if (!exec) return next;
  alignas(64) uint32_t value[lanes];
  std::memcpy(value, source<uint32_t>(w, op->a), sizeof value);
  const uint32_t *b = source<uint32_t>(w, op->b), *c = source<uint32_t>(w, op->c);
  uint32_t* d = destination<uint32_t>(w, op->d);
  uint32_t inside = 0;
  alignas(64) uint32_t result[lanes];
  for_lanes(exec, [&](int i) {
    uint32_t lane = static_cast<uint32_t>(i), distance = b[i] & 31, clamp = c[i] & 31, segment = c[i] >> 8 & 31;
    uint32_t most = (lane & segment) | (clamp & ~segment), least = lane & segment;
    uint32_t from;
    bool ok;
    switch (mode) {
      case Shuffle::up:
        from = lane - distance;
        ok = static_cast<int32_t>(from) >= static_cast<int32_t>(most);
        break;
      case Shuffle::down:
        from = lane + distance;
        ok = from <= most;
        break;
      case Shuffle::bfly:
        from = lane ^ distance;
        ok = from <= most;
        break;
      default:
        from = least | (distance & ~segment);
        ok = from <= most;
        break;
    }
    if (!ok) from = lane;
    inside |= (ok ? 1u : 0u) << i;
    result[i] = value[from & 31];
  });
  for_lanes(exec, [&](int i) { d[i] = result[i]; });
  if (op->list) set_predicate(w, op->list[0], exec, inside);
  return op + 1;
}

void decode_shfl(Decoder& d) {
  d.set_class(OpClass::shuffle);
  if (!d.take("sync")) d.fail("shfl without .sync is not supported");
  int mode = d.take_one_of({"up", "down", "bfly", "idx"});
  Type t = d.take_type();
  if (type_bytes(t) != 4) d.fail("shfl needs .b32");
  d.expect_operands(5);
  const Operand& to = d.operand(0);
  if (to.kind == OperandKind::pair) {
    d.op.d = d.destination(to.elements[0], t);
    OperandRef* list = d.list(1);
    list[0] = d.predicate_destination(to.elements[1]);
  } else {
    d.op.d = d.destination(to, t);
  }
  d.op.a = d.source(1, t);
  d.op.b = d.source(2, Type::u32);
  d.op.c = d.source(3, Type::u32);
  d.op.e = d.source(4, Type::u32);
  constexpr OpFunction bodies[] = {&shuffle<Shuffle::up>, &shuffle<Shuffle::down>, &shuffle<Shuffle::bfly>,
                                   &shuffle<Shuffle::idx>};
  d.emit(mode < 0 ? nullptr : bodies[mode]);
}

// ---- vote, match, redux, elect ----

enum class Vote : uint8_t { all, any, uni, ballot };

template <class F>
uint32_t by_member_mask(uint32_t exec, const uint32_t* member, F f) {
  uint32_t done = 0;
  for_lanes(exec, [&](int i) {
    if (done >> i & 1) return;
    uint32_t same = 0;
    for_lanes(exec, [&](int k) { same |= (member[k] == member[i] ? 1u : 0u) << k; });
    done |= same;
    f(same);
  });
  return done;
}

const Op* vote(Warp& w, const Op* op, uint32_t exec) {
  const uint32_t* member = source<uint32_t>(w, op->e);
  const Op* next = nullptr;
  exec = gather(w, op, exec, member, &next);
  if (!exec) return next;
  uint32_t p = predicate(w, op->a);
  by_member_mask(exec, member, [&](uint32_t some) {
    uint32_t yes = p & some;
    switch (static_cast<Vote>(op->small[0])) {
      case Vote::all:
        set_predicate(w, op->d, some, yes == some ? full : 0);
        break;
      case Vote::any:
        set_predicate(w, op->d, some, yes ? full : 0);
        break;
      case Vote::uni:
        set_predicate(w, op->d, some, yes == 0 || yes == some ? full : 0);
        break;
      default: {
        uint32_t* d = destination<uint32_t>(w, op->d);
        for_lanes(some, [&](int i) { d[i] = yes; });
      }
    }
  });
  return op + 1;
}

const Op* activemask(Warp& w, const Op* op, uint32_t exec) {
  uint32_t* d = destination<uint32_t>(w, op->d);
  for_lanes(exec, [&](int i) { d[i] = exec; });
  return op + 1;
}

template <class T>
const Op* match(Warp& w, const Op* op, uint32_t exec) {
  const uint32_t* member = source<uint32_t>(w, op->e);
  const Op* next = nullptr;
  exec = gather(w, op, exec, member, &next);
  if (!exec) return next;
  alignas(64) T value[lanes];
  std::memcpy(value, source<T>(w, op->a), sizeof value);
  uint32_t* d = destination<uint32_t>(w, op->d);
  bool all = op->small[0] != 0;
  by_member_mask(exec, member, [&](uint32_t some) {
    uint32_t equal[lanes];
    for_lanes(some, [&](int i) {
      equal[i] = 0;
      for_lanes(some, [&](int k) { equal[i] |= (value[k] == value[i] ? 1u : 0u) << k; });
    });
    for_lanes(some, [&](int i) { d[i] = all ? (equal[i] == some ? some : 0) : equal[i]; });
    if (all && op->list) set_predicate(w, op->list[0], some, equal[__builtin_ctz(some)] == some ? full : 0);
  });
  return op + 1;
}

enum class Redux : uint8_t { add, min, max, bit_and, bit_or, bit_xor };

template <class T>
const Op* redux(Warp& w, const Op* op, uint32_t exec) {
  const uint32_t* member = source<uint32_t>(w, op->e);
  const Op* next = nullptr;
  exec = gather(w, op, exec, member, &next);
  if (!exec) return next;
  const T* a = source<T>(w, op->a);
  T* d = destination<T>(w, op->d);
  by_member_mask(exec, member, [&](uint32_t some) {
    T total = a[__builtin_ctz(some)];
    for_lanes(some & (some - 1), [&](int i) {
      switch (static_cast<Redux>(op->small[0])) {
        case Redux::add:
          total = static_cast<T>(static_cast<uint32_t>(total) + static_cast<uint32_t>(a[i]));
          break;
        case Redux::min:
          total = a[i] < total ? a[i] : total;
          break;
        case Redux::max:
          total = total < a[i] ? a[i] : total;
          break;
        case Redux::bit_and:
          total &= a[i];
          break;
        case Redux::bit_or:
          total |= a[i];
          break;
        default:
          total ^= a[i];
          break;
      }
    });
    for_lanes(some, [&](int i) { d[i] = total; });
  });
  return op + 1;
}

const Op* elect(Warp& w, const Op* op, uint32_t exec) {
  const uint32_t* member = source<uint32_t>(w, op->e);
  const Op* next = nullptr;
  exec = gather(w, op, exec, member, &next);
  if (!exec) return next;
  uint32_t* d = destination<uint32_t>(w, op->d);
  by_member_mask(exec, member, [&](uint32_t some) {
    uint32_t leader = static_cast<uint32_t>(__builtin_ctz(some));
    for_lanes(some, [&](int i) { d[i] = leader; });
    set_predicate(w, op->list[0], some, 1u << leader);
  });
  return op + 1;
}

// bar.warp.sync: lanes may come from different instructions.
const Op* warp_barrier(Warp& w, const Op* op, uint32_t exec) {
  const uint32_t* member = source<uint32_t>(w, op->e);
  uint32_t mask = member[__builtin_ctz(exec)];
  // Lanes of other groups that wait at a barrier of the warp with the same mask.
  uint32_t same = 0;
  for_lanes(exec, [&](int i) { same |= (member[i] == mask ? 1u : 0u) << i; });
  if (same == exec && (exec & ~mask) == 0 && (mask & ~w.dead & ~exec)) {
    uint32_t here = exec;
    auto waits_too = [&](const Group& other) {
      if (other.state != GroupState::at_sync || other.pc->body != &warp_barrier) return false;
      const uint8_t* bank = other.pc->e & 1 ? w.bank[1] : other.frame->registers;
      const uint32_t* theirs = reinterpret_cast<const uint32_t*>(bank + other.pc->e);
      return theirs[__builtin_ctz(other.mask)] == mask;
    };
    for (const Group& other : w.groups)
      if (waits_too(other)) here |= other.mask;
    if ((mask & ~w.dead & ~here) == 0) {
      for (Group& other : w.groups)
        if (waits_too(other)) {
          other.state = GroupState::ready;
          ++other.pc;
        }
      if (w.block->races) w.block->races->warp_synchronised(w);
      w.groups[w.current].pc = op + 1;
      return stop();
    }
  }
  const Op* next = nullptr;
  exec = gather(w, op, exec, member, &next);
  if (!exec) return next;
  return op + 1;
}

void decode_vote(Decoder& d) {
  d.set_class(OpClass::shuffle);
  if (!d.take("sync")) d.fail("vote without .sync is not supported");
  int kind = d.take_one_of({"all", "any", "uni", "ballot"});
  Type t = d.take_type();
  d.expect_operands(3);
  if (kind < 0) d.fail("unknown vote");
  d.op.d = kind == 3 ? d.destination(0, t) : d.predicate_destination(d.operand(0));
  d.op.a = d.predicate_source(d.operand(1));
  d.op.e = d.source(2, Type::u32);
  d.op.small[0] = static_cast<uint16_t>(kind);
  d.emit(&vote);
}

void decode_activemask(Decoder& d) {
  d.set_class(OpClass::shuffle);
  d.take_type();
  d.expect_operands(1);
  d.op.d = d.destination(0, Type::b32);
  d.emit(&activemask);
}

void decode_match(Decoder& d) {
  d.set_class(OpClass::shuffle);
  int kind = d.take_one_of({"any", "all"});
  if (!d.take("sync")) d.fail("match needs .sync");
  Type t = d.take_type();
  d.expect_operands(3);
  const Operand& to = d.operand(0);
  if (to.kind == OperandKind::pair) {
    d.op.d = d.destination(to.elements[0], Type::b32);
    OperandRef* list = d.list(1);
    list[0] = d.predicate_destination(to.elements[1]);
  } else {
    d.op.d = d.destination(to, Type::b32);
  }
  d.op.a = d.source(1, t);
  d.op.e = d.source(2, Type::u32);
  d.op.small[0] = kind == 1;
  d.emit(type_bytes(t) == 4 ? &match<uint32_t> : &match<uint64_t>);
}

void decode_redux(Decoder& d) {
  d.set_class(OpClass::shuffle);
  if (!d.take("sync")) d.fail("redux needs .sync");
  int kind = d.take_one_of({"add", "min", "max", "and", "or", "xor"});
  Type t = d.take_type();
  d.expect_operands(3);
  if (kind < 0 || type_bytes(t) != 4 || t == Type::f32) d.fail("this redux is not supported");
  d.op.d = d.destination(0, t);
  d.op.a = d.source(1, t);
  d.op.e = d.source(2, Type::u32);
  d.op.small[0] = static_cast<uint16_t>(kind);
  d.emit(t == Type::s32 ? &redux<int32_t> : &redux<uint32_t>);
}

void decode_elect(Decoder& d) {
  d.set_class(OpClass::shuffle);
  if (!d.take("sync")) d.fail("elect needs .sync");
  d.expect_operands(2);
  const Operand& to = d.operand(0);
  if (to.kind != OperandKind::pair) d.fail("elect needs d|p");
  d.op.d = d.destination(to.elements[0], Type::b32);
  OperandRef* list = d.list(1);
  list[0] = d.predicate_destination(to.elements[1]);
  d.op.e = d.source(1, Type::u32);
  d.emit(&elect);
}

void decode_bar(Decoder& d) {
  if (!d.take("warp")) return decode_block_barrier(d);
  d.set_class(OpClass::barrier);
  if (!d.take("sync")) d.fail("unknown barrier");
  d.expect_operands(1);
  d.op.e = d.source(0, Type::u32);
  d.emit(&warp_barrier);
}

}  // namespace

void add_warp_opcodes(Opcodes& table) {
  table["bar"] = decode_bar;
  table["shfl"] = decode_shfl;
  table["vote"] = decode_vote;
  table["activemask"] = decode_activemask;
  table["match"] = decode_match;
  table["redux"] = decode_redux;
  table["elect"] = decode_elect;
}

}  // namespace simulator
