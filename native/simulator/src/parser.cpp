#include "parser.h"

#include <cstdlib>

#include "literal.h"
#include "names.h"
#include "operand_parser.h"
#include "scanner.h"
#include "variable_parser.h"

namespace simulator {

namespace {

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
        variables_.declare(d, external, module_.variables, names_.globals);
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

  // ---- functions ----

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
    if (in_.peek() == '(') variables_.parameter_list(f->returns, false);
    f->name = std::string(in_.word());
    if (f->name.empty()) in_.fail("expected a function name");
    if (in_.peek() == '(') variables_.parameter_list(f->parameters, entry);
    for (;;) {
      std::string_view d = in_.peek_dotted();
      if (d.empty()) break;
      in_.dotted();
      if (d == "maxntid" || d == "reqntid") {
        f->max_threads = 1;
        do f->max_threads *= static_cast<uint32_t>(parse_natural(in_));
        while (in_.accept(','));
      } else if (d == "minnctapersm" || d == "maxnctapersm" || d == "maxnreg" || d == "maxclusterrank") {
        parse_natural(in_);
      } else if (d == "reqnctapercluster") {
        do {
          if (parse_natural(in_) != 1) in_.fail("clusters of more than one block are not supported");
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
    names_.scopes.clear();
    names_.scopes.emplace_back();
    for (auto* list : {&f->returns, &f->parameters})
      for (auto& variable : *list) {
        if (variable->space == Space::reg) {
          names_.scopes.back().registers.single[variable->name] = add_register(variable->name, variable->type);
        } else {
          names_.scopes.back().variables[variable->name] = variable.get();
        }
      }
    f->scopes.emplace_back();
    scope_ = 0;
    in_.expect('{');
    block();
    names_.scopes.clear();
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
      names_.scopes.emplace_back();
      int outer = scope_;
      function_->scopes.emplace_back();
      function_->scopes.back().parent = outer;
      scope_ = static_cast<int>(function_->scopes.size()) - 1;
      block();
      scope_ = outer;
      names_.scopes.pop_back();
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
      if (in_.peek() == '(') variables_.parameter_list(list, false);
      for (auto& v : list) prototype.returns.push_back(*v);
      list.clear();
      in_.word();  // _
      if (in_.peek() == '(') variables_.parameter_list(list, false);
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
      variables_.declare(d, false, function_->variables, names_.scopes.back().variables);
    } else if (d == "extern") {
      std::string_view space = in_.dotted();
      variables_.declare(space, true, function_->variables, names_.scopes.back().variables);
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
    source_file_ = static_cast<int>(parse_natural(in_));
    source_line_ = static_cast<int>(parse_natural(in_));
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
    Type type = variables_.type_of(d);
    RegisterNames& names = names_.scopes.back().registers;
    do {
      std::string name(in_.word());
      if (name.empty()) in_.fail("expected a register name");
      if (in_.accept('<')) {
        int count = static_cast<int>(parse_natural(in_));
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
      i.guard = names_.find_register(name);
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
      do i.operands.push_back(operands_.operand());
      while (in_.accept(','));
    }
    if (in_.peek() != ';') in_.fail("expected ';' after instruction " + i.opcode);
    in_.expect(';');
    function_->instructions.push_back(std::move(i));
  }

  void operand_list(std::vector<Operand>& into) {
    in_.expect('(');
    if (in_.accept(')')) return;
    do into.push_back(operands_.operand());
    while (in_.accept(','));
    in_.expect(')');
  }

  // call (returns), function, (arguments), prototype;
  void call(Instruction& i) {
    if (in_.peek() == '(') {
      operand_list(i.returns);
      in_.expect(',');
    }
    i.operands.push_back(operands_.operand());
    if (in_.accept(',')) {
      if (in_.peek() == '(') {
        operand_list(i.arguments);
        if (in_.accept(',')) i.operands.push_back(operands_.operand());
      } else {
        i.operands.push_back(operands_.operand());
      }
    }
  }

  Scanner in_;
  ModuleSyntax module_;
  FunctionSyntax* function_ = nullptr;
  int scope_ = 0;
  int source_file_ = 0, source_line_ = 0;
  NameScopes names_;
  VariableParser variables_{in_};
  OperandParser operands_{in_, names_};
};

}  // namespace

ModuleSyntax parse_ptx(std::string_view text) { return Parser(text).parse(); }

}  // namespace simulator
