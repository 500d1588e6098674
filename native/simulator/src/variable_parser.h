// Declarations of variables and parameters, initial values included.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "literal.h"
#include "scanner.h"
#include "syntax.h"

namespace simulator {

class VariableParser {
 public:
  explicit VariableParser(Scanner& in) : in_(in) {}

  Type type_of(std::string_view d) {
    Type type = parse_type(d);
    if (type == Type::none) in_.fail("expected a type, found ." + std::string(d));
    return type;
  }

  // After the space: [.attribute(...)] [.align N] [.v2] .type name[dims] [= init] {, name ...} ;
  template <class Map>
  void declare(std::string_view space, bool external, std::vector<std::unique_ptr<Variable>>& into, Map& names) {
    Space where = space_of(space);
    uint32_t alignment = 0;
    unsigned vector = 1;
    Type type = Type::none;
    while (type == Type::none) {
      std::string_view d = in_.dotted();
      if (d == "align") {
        alignment = static_cast<uint32_t>(parse_natural(in_));
      } else if (d == "attribute") {
        in_.expect('(');
        while (!in_.accept(')')) {
          if (in_.dotted().empty() && !in_.accept(',')) in_.fail("bad attribute");
        }
      } else if (d == "v2" || d == "v4" || d == "v8") {
        vector = static_cast<unsigned>(d[1] - '0');
      } else if (d == "ptr" || d.empty()) {
        in_.fail("expected a type");
      } else {
        type = type_of(d);
      }
    }
    do {
      auto variable = std::make_unique<Variable>();
      variable->line = in_.line();
      variable->name = std::string(in_.word());
      if (variable->name.empty()) in_.fail("expected a name");
      variable->space = where;
      variable->type = type;
      variable->external = external;
      uint64_t element = uint64_t{type_bytes(type)} * vector;
      variable->alignment = alignment ? alignment : static_cast<uint32_t>(element);
      dimensions(*variable, element);
      if (in_.accept('=')) initialiser(*variable, type_bytes(type));
      if (names.count(variable->name)) {
        // An .extern declaration may be followed by the definition.
        if (!names[variable->name]->external) in_.fail(variable->name + " is declared twice");
      }
      names[variable->name] = variable.get();
      into.push_back(std::move(variable));
    } while (in_.accept(','));
    in_.expect(';');
  }

  void parameter_list(std::vector<std::unique_ptr<Variable>>& into, bool entry) {
    in_.expect('(');
    if (in_.accept(')')) return;
    do {
      std::string_view d = in_.dotted();
      if (d != "param" && d != "reg") in_.fail("expected .param");
      bool reg = d == "reg";
      auto variable = std::make_unique<Variable>();
      variable->space = reg ? Space::reg : Space::param;
      variable->is_entry_parameter = entry;
      variable->is_function_parameter = !entry;
      uint32_t alignment = 0;
      Type type = Type::none;
      unsigned vector = 1;
      for (;;) {
        d = in_.peek_dotted();
        if (d.empty()) break;
        in_.dotted();
        if (d == "align") {
          alignment = static_cast<uint32_t>(parse_natural(in_));
        } else if (d == "ptr") {
          // .ptr [.space] [.align N] describes what the pointer points to
          for (;;) {
            std::string_view more = in_.peek_dotted();
            if (more == "global" || more == "shared" || more == "const" || more == "local") {
              in_.dotted();
            } else if (more == "align") {
              in_.dotted();
              parse_natural(in_);
            } else {
              break;
            }
          }
        } else if (d == "v2" || d == "v4") {
          vector = static_cast<unsigned>(d[1] - '0');
        } else if (d == "noreturn") {
          continue;
        } else {
          type = type_of(d);
        }
      }
      if (type == Type::none) in_.fail("expected a parameter's type");
      variable->line = in_.line();
      variable->name = std::string(in_.word());
      variable->type = type;
      uint64_t element = uint64_t{type_bytes(type)} * vector;
      variable->alignment = alignment ? alignment : static_cast<uint32_t>(element);
      dimensions(*variable, element);
      into.push_back(std::move(variable));
    } while (in_.accept(','));
    in_.expect(')');
  }

 private:
  static Space space_of(std::string_view d) {
    if (d == "global") return Space::global;
    if (d == "const") return Space::constant;
    if (d == "shared") return Space::shared;
    if (d == "local") return Space::local;
    return Space::param;
  }

  void dimensions(Variable& variable, uint64_t element) {
    uint64_t count = 1;
    while (in_.accept('[')) {
      if (in_.accept(']')) {
        variable.unsized = true;
        continue;
      }
      count *= parse_natural(in_);
      in_.expect(']');
    }
    variable.bytes = variable.unsized ? 0 : count * element;
  }

  void initialiser(Variable& variable, unsigned element) {
    uint32_t offset = 0;
    initial_values(variable, element, offset);
    if (variable.unsized) {
      variable.bytes = offset;
      variable.unsized = false;
    }
    if (offset > variable.bytes) in_.fail("more initial values than " + variable.name + " has elements");
  }

  void initial_values(Variable& variable, unsigned element, uint32_t& offset) {
    if (in_.accept('{')) {
      if (in_.accept('}')) return;
      do initial_values(variable, element, offset);
      while (in_.accept(','));
      in_.expect('}');
      return;
    }
    InitialValue value;
    value.offset = offset;
    value.bytes = element;
    if (in_.starts_number() || in_.peek() == '-' || in_.peek() == '+') {
      Operand literal = parse_number(in_);
      if (in_.accept('(')) {  // mask form
        value.mask = literal.bits;
        symbol_value(value);
        in_.expect(')');
      } else {
        value.bits = literal_bits(literal, variable.type);
      }
    } else {
      symbol_value(value);
    }
    variable.initial.push_back(value);
    offset += element;
  }

  void symbol_value(InitialValue& value) {
    std::string name(in_.word());
    if (name.empty()) in_.fail("expected an initial value");
    if (name == "generic") {
      in_.expect('(');
      value.symbol = std::string(in_.word());
      if (in_.accept('+')) value.addend = static_cast<int64_t>(parse_natural(in_));
      in_.expect(')');
    } else {
      value.symbol = name;
    }
    while (in_.peek() == '+' || in_.peek() == '-') {
      bool minus = in_.accept('-');
      if (!minus) in_.expect('+');
      if (in_.peek() == '-') minus = !minus, in_.expect('-');
      int64_t amount = static_cast<int64_t>(parse_natural(in_));
      value.addend += minus ? -amount : amount;
    }
  }

  Scanner& in_;
};

}  // namespace simulator
