#include <cstring>

#include "decode.h"

namespace simulator {

namespace {
uint32_t round_up(uint32_t value, uint32_t to) { return to ? (value + to - 1) / to * to : value; }
}  // namespace

Emitter::Emitter(const FunctionSyntax& f, const Linkage& l, Program& p) : function(f), linkage(l), program(p) {
  for (const Register& r : f.registers) {
    unsigned bytes = type_bytes(r.type);
    register_bytes.push_back(bytes == 1 ? 2 : bytes);
    is_predicate.push_back(r.type == Type::pred);
  }
  uint32_t offset = 0, entry_offset = 0, local = 0;
  auto place = [](uint32_t& at, const Variable& v) {
    at = round_up(at, v.alignment);
    uint32_t where = at;
    at += static_cast<uint32_t>(v.bytes);
    return where;
  };
  for (auto& v : f.parameters) {
    if (v->space != Space::param) continue;
    if (f.entry) {
      entry_param_offset[v.get()] = place(entry_offset, *v);
    } else {
      param_offset[v.get()] = place(offset, *v);
    }
  }
  for (auto& v : f.returns) param_offset[v.get()] = place(offset, *v);
  for (auto& v : f.variables) {
    if (v->space == Space::param) param_offset[v.get()] = place(offset, *v);
    if (v->space == Space::local) local_offset[v.get()] = place(local, *v);
  }
  layout.param_stride = round_up(offset, 16);
  layout.local_bytes = round_up(local, 16);
}

int Emitter::new_register(unsigned bytes, bool predicate) {
  register_bytes.push_back(bytes);
  is_predicate.push_back(predicate);
  return static_cast<int>(register_bytes.size()) - 1;
}

OperandRef Emitter::constant(uint64_t bits, unsigned bytes, uint64_t high) {
  if (bytes < 2) bytes = 2;
  if (bytes < 8) bits &= (uint64_t{1} << (8 * bytes)) - 1;
  auto [found, fresh] = constants_.try_emplace({bits, {high, bytes}});
  if (!fresh) return found->second;
  std::vector<uint8_t>& pool = program.constants;
  size_t at = pool.size();
  pool.resize(at + (bytes * 32u + 63) / 64 * 64);
  uint64_t words[2] = {bits, high};
  for (unsigned i = 0; i < 32; ++i) std::memcpy(pool.data() + at + i * bytes, words, bytes);
  return found->second = static_cast<OperandRef>(at + 1);
}

OperandRef Emitter::predicate_constant(bool value) { return constant(value ? 0xFFFFFFFFu : 0, 4); }

OperandRef* Emitter::new_list(size_t count) {
  auto list = std::make_shared<std::vector<OperandRef>>(count, ~OperandRef{0});
  program.arena.push_back(list);
  return list->data();
}

}  // namespace simulator
