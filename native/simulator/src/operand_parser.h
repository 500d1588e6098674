// Operands of instructions: registers, literals, addresses, vectors, pairs.
#pragma once

#include <string>

#include "literal.h"
#include "names.h"
#include "scanner.h"
#include "syntax.h"

namespace simulator {

class OperandParser {
 public:
  OperandParser(Scanner& in, const NameScopes& names) : in_(in), names_(names) {}

  Operand operand() {
    Operand first = simple_operand();
    if (in_.accept('|')) {
      Operand pair;
      pair.kind = OperandKind::pair;
      pair.elements.push_back(std::move(first));
      pair.elements.push_back(simple_operand());
      return pair;
    }
    return first;
  }

 private:
  Operand simple_operand() {
    char c = in_.peek();
    Operand o;
    if (c == '{') {
      in_.expect('{');
      o.kind = OperandKind::vector;
      do o.elements.push_back(simple_operand());
      while (in_.accept(','));
      in_.expect('}');
      return o;
    }
    if (c == '[') return address();
    if (c == '!') {
      in_.expect('!');
      o = simple_operand();
      o.negated = !o.negated;
      return o;
    }
    if (in_.starts_number()) return parse_number(in_);
    if (c == '-' || c == '+') {
      in_.accept(c);
      if (in_.starts_number()) {
        Operand number = parse_number(in_);
        if (c == '-') {
          if (number.kind == OperandKind::integer) number.bits = ~number.bits + 1;
          if (number.kind == OperandKind::f32) number.bits ^= uint64_t{1} << 31;
          if (number.kind == OperandKind::f64) number.bits ^= uint64_t{1} << 63;
        }
        return number;
      }
      o = simple_operand();
      o.negated = !o.negated;
      return o;
    }
    std::string name(in_.word());
    if (name.empty()) in_.fail("expected an operand");
    if (name == "_") return o;
    return named(name);
  }

  Operand named(const std::string& name) {
    Operand o;
    o.reg = names_.find_register(name);
    if (o.reg >= 0) {
      o.kind = OperandKind::reg;
      return o;
    }
    if (name == "WARP_SZ") {
      o.kind = OperandKind::integer;
      o.bits = 32;
      return o;
    }
    if (name[0] == '%') {
      o.kind = OperandKind::special;
      o.name = name;
      for (;;) {
        std::string_view component = in_.modifier();
        if (component.empty()) break;
        o.name += "." + std::string(component);
      }
      return o;
    }
    o.variable = names_.find_variable(name);
    if (o.variable) {
      o.kind = OperandKind::symbol;
      if (in_.peek() == '+' || in_.peek() == '-') o.offset = offset();
      return o;
    }
    o.kind = OperandKind::name;
    o.name = name;
    return o;
  }

  int64_t offset() {
    int64_t total = 0;
    while (in_.peek() == '+' || in_.peek() == '-') {
      bool minus = in_.accept('-');
      if (!minus) in_.expect('+');
      if (in_.accept('-')) minus = !minus;
      int64_t amount = static_cast<int64_t>(parse_natural(in_));
      total += minus ? -amount : amount;
    }
    return total;
  }

  Operand address() {
    in_.expect('[');
    Operand o;
    if (in_.starts_number()) {
      o.offset = static_cast<int64_t>(parse_natural(in_));
    } else {
      std::string name(in_.word());
      if (name.empty()) in_.fail("expected an address");
      o.reg = names_.find_register(name);
      if (o.reg < 0) {
        o.variable = names_.find_variable(name);
        if (!o.variable) in_.fail("unknown name " + name);
      }
      o.offset = offset();
    }
    o.kind = OperandKind::address;
    in_.expect(']');
    return o;
  }

  Scanner& in_;
  const NameScopes& names_;
};

}  // namespace simulator
