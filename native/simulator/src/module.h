// A loaded module: text, syntax, variables in device memory, compiled kernels.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "compile.h"
#include "engine.h"

namespace simulator {

class LoadedFunction final : public Function {
 public:
  LoadedFunction(const Module& module, std::unique_ptr<Program> program, FunctionInfo info)
      : module_(module), program_(std::move(program)), info_(std::move(info)) {}
  const FunctionInfo& info() const override { return info_; }
  const Module& module() const override { return module_; }
  const Program& program() const { return *program_; }

 private:
  const Module& module_;
  std::unique_ptr<Program> program_;
  FunctionInfo info_;
};

class LoadedModule final : public Module {
 public:
  LoadedModule(const DeviceModel& device, std::string text);
  ~LoadedModule() override;
  LoadedModule(const LoadedModule&) = delete;
  LoadedModule& operator=(const LoadedModule&) = delete;

  const Function* find_function(std::string_view name) const override;
  std::vector<const Function*> functions() const override;
  bool find_global(std::string_view name, GlobalInfo* out) const override;

  const ModuleSyntax& syntax() const { return syntax_; }
  std::string line_text(int line) const;  // of the PTX, without leading space
  uint64_t code_base() const { return code_base_; }

 private:
  friend LoadResult load_module(const DeviceModel&, std::string_view);
  struct OutOfMemory {};
  void place_variables();
  void write_initial_values();
  void compile();

  DeviceModel device_;
  std::string text_;
  ModuleSyntax syntax_;
  Linkage linkage_;
  uint64_t code_base_ = 0;
  uint32_t constant_bytes_ = 0;
  std::map<std::string, GlobalInfo, std::less<>> globals_;
  std::vector<uint64_t> allocations_;
  std::vector<std::unique_ptr<LoadedFunction>> functions_;
};

}  // namespace simulator
