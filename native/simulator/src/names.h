// What the names in a function's text mean, scope by scope.
#pragma once

#include <cctype>
#include <cstdlib>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "syntax.h"

namespace simulator {

// Names of registers: single ones and ranges %r<10> (a prefix and a count).
struct RegisterNames {
  struct RangeOf {
    int first, count;
  };
  std::unordered_map<std::string, int> single;
  std::unordered_map<std::string, RangeOf> ranges;

  int find(std::string_view name) const {
    auto it = single.find(std::string(name));
    if (it != single.end()) return it->second;
    size_t digits = name.size();
    while (digits > 0 && std::isdigit(static_cast<unsigned char>(name[digits - 1]))) --digits;
    if (digits == name.size() || name.size() - digits > 8) return -1;
    if (name[digits] == '0' && name.size() - digits > 1) return -1;
    auto range = ranges.find(std::string(name.substr(0, digits)));
    if (range == ranges.end()) return -1;
    int index = std::atoi(std::string(name.substr(digits)).c_str());
    return index < range->second.count ? range->second.first + index : -1;
  }
};

struct Names {
  RegisterNames registers;
  std::unordered_map<std::string, const Variable*> variables;
};

// The innermost scope last; globals are those of the module.
struct NameScopes {
  std::vector<Names> scopes;
  std::unordered_map<std::string, const Variable*> globals;

  int find_register(std::string_view name) const {
    for (auto it = scopes.rbegin(); it != scopes.rend(); ++it) {
      int found = it->registers.find(name);
      if (found >= 0) return found;
    }
    return -1;
  }

  const Variable* find_variable(const std::string& name) const {
    for (auto it = scopes.rbegin(); it != scopes.rend(); ++it) {
      auto found = it->variables.find(name);
      if (found != it->variables.end()) return found->second;
    }
    auto found = globals.find(name);
    return found == globals.end() ? nullptr : found->second;
  }
};

}  // namespace simulator
