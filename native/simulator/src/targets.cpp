#include "targets.h"

#include <algorithm>

namespace simulator {

namespace {

struct Requirement {
  const char* opcode;
  const char* modifiers;  // all of these, separated by spaces; "" for every form
  int target;
  int version;
};

// Forms that sm_70 and PTX 6.0 do not have; "*" is any opcode.
constexpr Requirement requirements[] = {
    {"redux", "", 80, 70},
    {"redux", "f32", 100, 86},
    {"elect", "", 90, 80},
    {"cp", "async", 80, 70},
    {"cp", "async bulk", 90, 80},
    {"cp", "async mbarrier", 80, 70},
    {"mbarrier", "", 80, 70},
    {"mbarrier", "expect_tx", 90, 80},
    {"mbarrier", "complete_tx", 90, 80},
    {"mbarrier", "try_wait", 90, 78},
    {"createpolicy", "", 80, 74},
    {"ldmatrix", "", 75, 65},
    {"stmatrix", "", 90, 78},
    {"movmatrix", "", 75, 78},
    {"mapa", "", 90, 78},
    {"getctarank", "", 90, 78},
    {"griddepcontrol", "", 90, 78},
    {"setmaxnreg", "", 90, 80},
    {"wgmma", "", 90, 80},
    {"tanh", "", 75, 70},
    {"ex2", "f16", 75, 70},
    {"ex2", "f16x2", 75, 70},
    {"ex2", "bf16", 90, 78},
    {"ex2", "bf16x2", 90, 78},
    {"tanh", "bf16", 90, 78},
    {"tanh", "bf16x2", 90, 78},
    {"add", "bf16", 90, 78},
    {"add", "bf16x2", 90, 78},
    {"sub", "bf16", 90, 78},
    {"sub", "bf16x2", 90, 78},
    {"mul", "bf16", 90, 78},
    {"mul", "bf16x2", 90, 78},
    {"fma", "bf16", 80, 70},
    {"fma", "bf16x2", 80, 70},
    {"fma", "relu", 80, 70},
    {"fma", "oob", 90, 81},
    {"min", "bf16", 80, 70},
    {"min", "bf16x2", 80, 70},
    {"max", "bf16", 80, 70},
    {"max", "bf16x2", 80, 70},
    {"min", "f16", 80, 70},
    {"min", "f16x2", 80, 70},
    {"max", "f16", 80, 70},
    {"max", "f16x2", 80, 70},
    {"min", "NaN", 80, 70},
    {"max", "NaN", 80, 70},
    {"min", "xorsign", 86, 72},
    {"max", "xorsign", 86, 72},
    {"min", "u16x2", 90, 80},
    {"max", "u16x2", 90, 80},
    {"min", "s16x2", 90, 80},
    {"max", "s16x2", 90, 80},
    {"min", "relu", 80, 70},
    {"max", "relu", 80, 70},
    {"min", "relu s32", 90, 80},
    {"max", "relu s32", 90, 80},
    {"add", "u16x2", 90, 80},
    {"add", "s16x2", 90, 80},
    {"neg", "bf16", 80, 70},
    {"neg", "bf16x2", 80, 70},
    {"abs", "bf16", 80, 70},
    {"abs", "bf16x2", 80, 70},
    {"setp", "bf16", 90, 78},
    {"setp", "bf16x2", 90, 78},
    {"set", "bf16", 90, 78},
    {"set", "bf16x2", 90, 78},
    {"cvt", "bf16", 80, 70},
    {"cvt", "bf16x2", 80, 70},
    {"cvt", "f16x2 f32", 80, 70},
    {"cvt", "tf32", 80, 70},
    {"cvt", "tf32 rn", 90, 78},
    {"cvt", "tf32 rz", 90, 78},
    {"cvt", "relu", 80, 70},
    {"cvt", "e4m3x2", 89, 81},
    {"cvt", "e5m2x2", 89, 81},
    {"cvt", "pack", 72, 65},
    {"szext", "", 70, 76},
    {"bmsk", "", 70, 76},
    {"atom", "bf16", 90, 78},
    {"atom", "bf16x2", 90, 78},
    {"red", "bf16", 90, 78},
    {"red", "bf16x2", 90, 78},
    {"atom", "b128", 90, 83},
    {"atom", "v2", 90, 81},
    {"atom", "v4", 90, 81},
    {"atom", "v8", 90, 81},
    {"red", "v2", 90, 81},
    {"red", "v4", 90, 81},
    {"red", "v8", 90, 81},
    {"ld", "b128", 70, 83},
    {"st", "b128", 70, 83},
    {"ld", "v8", 100, 88},
    {"st", "v8", 100, 88},
    {"st", "async", 90, 81},
    {"mma", "bf16", 80, 70},
    {"mma", "tf32", 80, 70},
    {"mma", "f64", 80, 70},
    {"mma", "m16n8k16", 80, 70},
    {"mma", "m16n8k8", 75, 65},
    {"mma", "m16n8k32", 80, 70},
    {"mma", "m16n8k4", 80, 70},
    {"mma", "e4m3", 89, 84},
    {"mma", "e5m2", 89, 84},
    {"barrier", "cluster", 90, 78},
    {"fence", "acq_rel cluster", 90, 78},
    {"fence", "sc cluster", 90, 78},
    {"fence", "mbarrier_init", 90, 80},
    {"fence", "proxy", 70, 75},
    {"fence", "proxy async", 90, 80},
    {"membar", "proxy", 70, 75},
    {"discard", "", 80, 74},
    {"prefetch", "L2::evict_last", 80, 74},
    {"prefetch", "L2::evict_normal", 80, 74},
    {"applypriority", "", 80, 74},
    {"multimem", "", 90, 81},
    {"isspacep", "param", 70, 77},
    {"cvta", "param", 70, 77},
    {"ld", "L2::cache_hint", 80, 74},
    {"st", "L2::cache_hint", 80, 74},
    {"atom", "L2::cache_hint", 80, 74},
    {"red", "L2::cache_hint", 80, 74},
    {"ld", "L2::256B", 80, 74},
    {"*", "cluster", 90, 78},
    {"*", "shared::cluster", 90, 78},
    {"lop3", "and", 70, 82},
    {"lop3", "or", 70, 82},
};

bool matches(const Requirement& r, const Instruction& i) {
  if (r.opcode[0] != '*' && i.opcode != r.opcode) return false;
  std::string_view rest = r.modifiers;
  while (!rest.empty()) {
    size_t space = rest.find(' ');
    std::string_view word = rest.substr(0, space);
    rest = space == std::string_view::npos ? std::string_view{} : rest.substr(space + 1);
    if (std::find(i.modifiers.begin(), i.modifiers.end(), word) == i.modifiers.end()) return false;
  }
  return true;
}

std::string full_name(const Instruction& i) {
  std::string name = i.opcode;
  for (const std::string& m : i.modifiers) name += "." + m;
  return name;
}

std::string version_text(int version) { return std::to_string(version / 10) + "." + std::to_string(version % 10); }

// Conversions of bf16 other than from and to f32 came later than those; the two types of cvt are its last
// modifiers.
bool is_late_bf16_conversion(const Instruction& i) {
  size_t n = i.modifiers.size();
  if (i.opcode != "cvt" || n < 2) return false;
  const std::string &to = i.modifiers[n - 2], &from = i.modifiers[n - 1];
  return (from == "bf16" && to != "f32") || (to == "bf16" && from != "f32");
}

// Only an arrival that is known not to complete the phase may have had a count from the start.
bool is_counted_arrival(const Instruction& i) {
  auto has = [&](const char* m) { return std::find(i.modifiers.begin(), i.modifiers.end(), m) != i.modifiers.end(); };
  return i.opcode == "mbarrier" && (has("arrive") || has("arrive_drop")) && !has("noComplete") &&
         i.operands.size() == 3;
}

}  // namespace

void check_target(const Instruction& instruction, const ModuleSyntax& module) {
  auto check = [&](int target, int version) {
    if (module.target < target)
      throw PtxError(instruction.line, full_name(instruction) + " needs .target sm_" + std::to_string(target) +
                                           " or higher, the module has sm_" + std::to_string(module.target));
    if (module.version < version)
      throw PtxError(instruction.line, full_name(instruction) + " needs .version " + version_text(version) +
                                           " or higher, the module has " + version_text(module.version));
  };
  if (is_late_bf16_conversion(instruction) || is_counted_arrival(instruction)) check(90, 78);
  for (const Requirement& r : requirements) {
    if (matches(r, instruction)) check(r.target, r.version);
  }
}

}  // namespace simulator
