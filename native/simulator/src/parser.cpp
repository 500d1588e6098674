#include "parser.h"

#include <cstdlib>
#include <cstring>
#include <unordered_map>

#include "scanner.h"

namespace simulator {

namespace {

uint64_t double_bits(double value) {
  uint64_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

uint64_t float_bits(double value) {
  float narrow = static_cast<float>(value);
  uint32_t bits;
  std::memcpy(&bits, &narrow, sizeof bits);
  return bits;
}

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

class Parser {
 public:
  explicit Parser(std::string_view text) : in_(text) {}

  ModuleSyntax parse() {
    if (in_.at_end()) throw PtxError(1, "the text is empty");
    while (!in_.at_end()) module_statement();
    if (module_.version == 0) throw PtxError(1, "no .version directive");
    if (module_.target == 0) throw PtxError(1, "no .target directive");
    return std::move(module_);
  }

 private:
  // ---- module level ----

  void module_statement() {
    bool visible = false, external = false;
    int line = in_.line();
    for (;;) {
      std::string_view d = in_.dotted();
      if (d.empty()) in_.fail("expected a directive");
      if (d == "visible" || d == "weak" || d == "common") {
        visible = true;
        continue;
      }
      if (d == "extern") {
        external = true;
        continue;
      }
      if (d == "version") return version();
      if (d == "target") return target();
      if (d == "address_size") {
        if (in_.number() != "64") in_.fail("only .address_size 64 is supported");
        return;
      }
      if (d == "file") return file();
      if (d == "section") {
        in_.skip_line();
        if (in_.peek() == '{') in_.skip_braces();
        return;
      }
      if (d == "pragma") return in_.skip_statement();
      if (d == "alias") return in_.skip_statement();
      if (d == "loc") return in_.skip_line();
      if (d == "entry" || d == "func") return function(d == "entry", external, line);
      if (d == "global" || d == "const" || d == "shared") {
        declare_variables(d, external, module_.variables, names_.empty() ? globals_ : names_.back().variables);
        return;
      }
      in_.fail("unknown directive ." + std::string(d));
    }
    (void)visible;
  }

  void version() {
    std::string text(in_.number());
    size_t dot = text.find('.');
    if (dot == std::string::npos) in_.fail("expected a version such as 8.4");
    module_.version = std::atoi(text.c_str()) * 10 + std::atoi(text.c_str() + dot + 1);
    if (module_.version < 60) in_.fail(".version " + text + " is not supported (6.0 or later)");
  }

  void target() {
    do {
      std::string_view name = in_.word();
      if (name.substr(0, 3) == "sm_") {
        module_.target = std::atoi(std::string(name.substr(3)).c_str());
        char last = name.back();
        module_.target_suffix = std::isdigit(static_cast<unsigned char>(last)) ? '\0' : last;
      } else if (name != "debug" && name != "texmode_unified" && name != "texmode_independent" &&
                 name.substr(0, 8) != "compute_") {
        in_.fail("unknown target " + std::string(name));
      }
    } while (in_.accept(','));
  }

  void file() {
    int index = std::atoi(std::string(in_.number()).c_str());
    module_.files[index] = in_.quoted();
    while (in_.accept(',')) in_.number();
  }

  // ---- variables ----

  Type type_of(std::string_view d) {
    Type type = parse_type(d);
    if (type == Type::none) in_.fail("expected a type, found ." + std::string(d));
    return type;
  }

  uint64_t natural() {
    if (!in_.starts_number()) in_.fail("expected a number");
    return std::strtoull(std::string(in_.number()).c_str(), nullptr, 0);
  }

  static Space space_of(std::string_view d) {
    if (d == "global") return Space::global;
    if (d == "const") return Space::constant;
    if (d == "shared") return Space::shared;
    if (d == "local") return Space::local;
    return Space::param;
  }

  // After the space: [.attribute(...)] [.align N] [.v2] .type name[dims] [= init] {, name ...} ;
  template <class Map>
  void declare_variables(std::string_view space, bool external, std::vector<std::unique_ptr<Variable>>& into, Map& names) {
    Space where = space_of(space);
    uint32_t alignment = 0;
    unsigned vector = 1;
    Type type = Type::none;
    while (type == Type::none) {
      std::string_view d = in_.dotted();
      if (d == "align") {
        alignment = static_cast<uint32_t>(natural());
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

  void dimensions(Variable& variable, uint64_t element) {
    uint64_t count = 1;
    while (in_.accept('[')) {
      if (in_.accept(']')) {
        variable.unsized = true;
        continue;
      }
      count *= natural();
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
      Operand literal = number_operand();
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
      if (in_.accept('+')) value.addend = static_cast<int64_t>(natural());
      in_.expect(')');
    } else {
      value.symbol = name;
    }
    while (in_.peek() == '+' || in_.peek() == '-') {
      bool minus = in_.accept('-');
      if (!minus) in_.expect('+');
      if (in_.peek() == '-') minus = !minus, in_.expect('-');
      int64_t amount = static_cast<int64_t>(natural());
      value.addend += minus ? -amount : amount;
    }
  }

  static uint64_t literal_bits(const Operand& literal, Type type) {
    if (literal.kind == OperandKind::integer) {
      if (type == Type::f32) return float_bits(static_cast<double>(static_cast<int64_t>(literal.bits)));
      if (type == Type::f64) return double_bits(static_cast<double>(static_cast<int64_t>(literal.bits)));
      return literal.bits;
    }
    if (literal.kind == OperandKind::f64 && type == Type::f32) {
      double value;
      std::memcpy(&value, &literal.bits, sizeof value);
      return float_bits(value);
    }
    if (literal.kind == OperandKind::f32 && type == Type::f64) {
      float value;
      uint32_t bits = static_cast<uint32_t>(literal.bits);
      std::memcpy(&value, &bits, sizeof value);
      return double_bits(value);
    }
    return literal.bits;
  }

  // ---- functions ----

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
          alignment = static_cast<uint32_t>(natural());
        } else if (d == "ptr") {
          // .ptr [.space] [.align N] describes what the pointer points to
          for (;;) {
            std::string_view more = in_.peek_dotted();
            if (more == "global" || more == "shared" || more == "const" || more == "local") {
              in_.dotted();
            } else if (more == "align") {
              in_.dotted();
              natural();
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

  void function(bool entry, bool external, int line) {
    auto f = std::make_unique<FunctionSyntax>();
    f->entry = entry;
    f->external = external;
    f->line = line;
    while (in_.peek_dotted() == "attribute" || in_.peek_dotted() == "noreturn") {
      if (in_.dotted() == "attribute") {
        in_.expect('(');
        while (!in_.accept(')'))
          if (in_.dotted().empty() && !in_.accept(',')) in_.fail("bad attribute");
      }
    }
    if (in_.peek() == '(') parameter_list(f->returns, false);
    f->name = std::string(in_.word());
    if (f->name.empty()) in_.fail("expected a function name");
    if (in_.peek() == '(') parameter_list(f->parameters, entry);
    for (;;) {
      std::string_view d = in_.peek_dotted();
      if (d.empty()) break;
      in_.dotted();
      if (d == "maxntid" || d == "reqntid") {
        f->max_threads = 1;
        do f->max_threads *= static_cast<uint32_t>(natural());
        while (in_.accept(','));
      } else if (d == "minnctapersm" || d == "maxnctapersm" || d == "maxnreg" || d == "maxclusterrank") {
        natural();
      } else if (d == "reqnctapercluster") {
        do {
          if (natural() != 1) in_.fail("clusters of more than one block are not supported");
        } while (in_.accept(','));
      } else if (d == "explicitcluster" || d == "noreturn") {
        continue;
      } else if (d == "pragma") {
        in_.skip_statement();
      } else {
        in_.fail("unknown directive ." + std::string(d));
      }
    }
    if (in_.accept(';')) {
      declared(std::move(f));
      return;
    }
    f->defined = true;
    function_ = f.get();
    source_file_ = source_line_ = 0;
    names_.clear();
    names_.emplace_back();
    for (auto* list : {&f->returns, &f->parameters})
      for (auto& variable : *list) {
        if (variable->space == Space::reg) {
          names_.back().registers.single[variable->name] = add_register(variable->name, variable->type);
        } else {
          names_.back().variables[variable->name] = variable.get();
        }
      }
    f->scopes.emplace_back();
    scope_ = 0;
    in_.expect('{');
    block();
    names_.clear();
    function_ = nullptr;
    declared(std::move(f));
  }

  void declared(std::unique_ptr<FunctionSyntax> f) {
    for (auto& other : module_.functions) {
      if (other->name != f->name) continue;
      if (f->defined) {
        if (other->defined) throw PtxError(f->line, "function " + f->name + " is defined twice");
        other = std::move(f);
      }
      return;
    }
    module_.functions.push_back(std::move(f));
  }

  int add_register(std::string name, Type type) {
    function_->registers.push_back({std::move(name), type});
    return static_cast<int>(function_->registers.size()) - 1;
  }

  void block() {
    while (!in_.accept('}')) {
      if (in_.at_end()) in_.fail("missing '}'");
      statement();
    }
  }

  void statement() {
    char c = in_.peek();
    if (c == ';') {
      in_.accept(';');
    } else if (c == '{') {
      in_.accept('{');
      names_.emplace_back();
      int outer = scope_;
      function_->scopes.emplace_back();
      function_->scopes.back().parent = outer;
      scope_ = static_cast<int>(function_->scopes.size()) - 1;
      block();
      scope_ = outer;
      names_.pop_back();
    } else if (c == '.') {
      directive();
    } else if (c == '@') {
      instruction();
    } else {
      Scanner::State start = in_.save();
      std::string name(in_.word());
      if (name.empty()) in_.fail("expected a statement");
      if (in_.peek() == ':') {
        in_.expect(':');
        label(name);
      } else {
        in_.restore(start);
        instruction();
      }
    }
  }

  void label(const std::string& name) {
    Scope& scope = function_->scopes[static_cast<size_t>(scope_)];
    std::string_view d = in_.peek_dotted();
    if (d == "branchtargets" || d == "calltargets") {
      in_.dotted();
      std::vector<std::string> targets;
      do targets.emplace_back(in_.word());
      while (in_.accept(','));
      in_.expect(';');
      scope.targets[name] = std::move(targets);
    } else if (d == "callprototype") {
      in_.dotted();
      Prototype prototype;
      std::vector<std::unique_ptr<Variable>> list;
      if (in_.peek() == '(') parameter_list(list, false);
      for (auto& v : list) prototype.returns.push_back(*v);
      list.clear();
      in_.word();  // _
      if (in_.peek() == '(') parameter_list(list, false);
      for (auto& v : list) prototype.parameters.push_back(*v);
      if (in_.peek_dotted() == "noreturn") in_.dotted();
      in_.expect(';');
      scope.prototypes[name] = std::move(prototype);
    } else {
      if (!scope.labels.emplace(name, static_cast<int>(function_->instructions.size())).second)
        in_.fail("label " + name + " is defined twice");
    }
  }

  void directive() {
    std::string_view d = in_.dotted();
    if (d == "reg") {
      registers();
    } else if (d == "local" || d == "shared" || d == "param" || d == "global" || d == "const") {
      declare_variables(d, false, function_->variables, names_.back().variables);
    } else if (d == "extern") {
      std::string_view space = in_.dotted();
      declare_variables(space, true, function_->variables, names_.back().variables);
    } else if (d == "loc") {
      location();
    } else if (d == "pragma") {
      in_.skip_statement();
    } else if (d == "file") {
      file();
    } else {
      in_.fail("unknown directive ." + std::string(d));
    }
  }

  // .loc file line column [, function_name label [+ offset], inlined_at file line column]
  void location() {
    source_file_ = static_cast<int>(natural());
    source_line_ = static_cast<int>(natural());
    in_.skip_line();
  }

  void registers() {
    unsigned vector = 1;
    std::string_view d = in_.dotted();
    if (d == "v2" || d == "v4") {
      vector = static_cast<unsigned>(d[1] - '0');
      d = in_.dotted();
    }
    if (vector != 1) in_.fail("vector registers are not supported");
    Type type = type_of(d);
    RegisterNames& names = names_.back().registers;
    do {
      std::string name(in_.word());
      if (name.empty()) in_.fail("expected a register name");
      if (in_.accept('<')) {
        int count = static_cast<int>(natural());
        in_.expect('>');
        if (count > 1000000) in_.fail("too many registers");
        RegisterNames::RangeOf range{static_cast<int>(function_->registers.size()), count};
        for (int i = 0; i < count; ++i) add_register(name + std::to_string(i), type);
        names.ranges[name] = range;
      } else {
        names.single[name] = add_register(name, type);
      }
    } while (in_.accept(','));
    in_.expect(';');
  }

  // ---- instructions ----

  void instruction() {
    Instruction i;
    i.line = in_.line();
    i.scope = scope_;
    i.source_file = source_file_;
    i.source_line = source_line_;
    if (in_.accept('@')) {
      i.guard_negated = in_.accept('!');
      std::string name(in_.word());
      i.guard = find_register(name);
      if (i.guard < 0) in_.fail("unknown predicate " + name);
      if (function_->registers[static_cast<size_t>(i.guard)].type != Type::pred) in_.fail(name + " is no predicate");
    }
    i.opcode = std::string(in_.word());
    if (i.opcode.empty()) in_.fail("expected an instruction");
    for (;;) {
      std::string_view m = in_.modifier();
      if (m.empty()) break;
      i.modifiers.emplace_back(m);
    }
    if (i.opcode == "call") {
      call(i);
    } else if (in_.peek() != ';') {
      do i.operands.push_back(operand());
      while (in_.accept(','));
    }
    if (in_.peek() != ';') in_.fail("expected ';' after instruction " + i.opcode);
    in_.expect(';');
    function_->instructions.push_back(std::move(i));
  }

  void operand_list(std::vector<Operand>& into) {
    in_.expect('(');
    if (in_.accept(')')) return;
    do into.push_back(operand());
    while (in_.accept(','));
    in_.expect(')');
  }

  // call (returns), function, (arguments), prototype;
  void call(Instruction& i) {
    if (in_.peek() == '(') {
      operand_list(i.returns);
      in_.expect(',');
    }
    i.operands.push_back(operand());
    if (in_.accept(',')) {
      if (in_.peek() == '(') {
        operand_list(i.arguments);
        if (in_.accept(',')) i.operands.push_back(operand());
      } else {
        i.operands.push_back(operand());
      }
    }
  }

  int find_register(std::string_view name) const {
    for (auto it = names_.rbegin(); it != names_.rend(); ++it) {
      int found = it->registers.find(name);
      if (found >= 0) return found;
    }
    return -1;
  }

  const Variable* find_variable(const std::string& name) const {
    for (auto it = names_.rbegin(); it != names_.rend(); ++it) {
      auto found = it->variables.find(name);
      if (found != it->variables.end()) return found->second;
    }
    auto found = globals_.find(name);
    return found == globals_.end() ? nullptr : found->second;
  }

  Operand number_operand() {
    Operand o;
    bool negative = in_.accept('-');
    if (!negative) in_.accept('+');
    std::string text(in_.number());
    if (text.size() == 10 && text[0] == '0' && (text[1] == 'f' || text[1] == 'F')) {
      o.kind = OperandKind::f32;
      o.bits = std::strtoull(text.c_str() + 2, nullptr, 16);
      if (negative) o.bits ^= uint64_t{1} << 31;
    } else if (text.size() == 18 && text[0] == '0' && (text[1] == 'd' || text[1] == 'D')) {
      o.kind = OperandKind::f64;
      o.bits = std::strtoull(text.c_str() + 2, nullptr, 16);
      if (negative) o.bits ^= uint64_t{1} << 63;
    } else if (text.find('.') != std::string::npos ||
               (text.size() > 1 && text[1] != 'x' && text[1] != 'X' && text.find_first_of("eE") != std::string::npos)) {
      o.kind = OperandKind::f64;
      double value = std::strtod(text.c_str(), nullptr);
      o.bits = double_bits(negative ? -value : value);
    } else {
      o.kind = OperandKind::integer;
      if (!text.empty() && (text.back() == 'U' || text.back() == 'u')) text.pop_back();
      char* end = nullptr;
      if (text.size() > 2 && text[0] == '0' && (text[1] == 'b' || text[1] == 'B')) {
        o.bits = std::strtoull(text.c_str() + 2, &end, 2);
      } else {
        o.bits = std::strtoull(text.c_str(), &end, 0);
      }
      if (text.empty() || *end) in_.fail("bad number " + text);
      if (negative) o.bits = ~o.bits + 1;
    }
    return o;
  }

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
    if (in_.starts_number()) return number_operand();
    if (c == '-' || c == '+') {
      in_.accept(c);
      if (in_.starts_number()) {
        Operand number = number_operand();
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
    o.reg = find_register(name);
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
    o.variable = find_variable(name);
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
      int64_t amount = static_cast<int64_t>(natural());
      total += minus ? -amount : amount;
    }
    return total;
  }

  Operand address() {
    in_.expect('[');
    Operand o;
    if (in_.starts_number()) {
      o.offset = static_cast<int64_t>(natural());
    } else {
      std::string name(in_.word());
      if (name.empty()) in_.fail("expected an address");
      o.reg = find_register(name);
      if (o.reg < 0) {
        o.variable = find_variable(name);
        if (!o.variable) in_.fail("unknown name " + name);
      }
      o.offset = offset();
    }
    o.kind = OperandKind::address;
    in_.expect(']');
    return o;
  }

  Scanner in_;
  ModuleSyntax module_;
  FunctionSyntax* function_ = nullptr;
  int scope_ = 0;
  int source_file_ = 0, source_line_ = 0;
  std::vector<Names> names_;
  std::unordered_map<std::string, const Variable*> globals_;
};

}  // namespace

ModuleSyntax parse_ptx(std::string_view text) { return Parser(text).parse(); }

}  // namespace simulator
