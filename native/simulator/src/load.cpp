// Loading a module: from the image to compiled kernels.
#include <algorithm>
#include <cstring>

#include "memory.h"
#include "module.h"
#include "parser.h"
#include "report.h"

namespace simulator {

namespace {
constexpr int newest_ptx_version = 90;
constexpr uint64_t code_window = uint64_t{3} << 30;  // addresses of functions, in the region of device addresses
}  // namespace

LoadedModule::LoadedModule(const DeviceModel& device, std::string text) : device_(device), text_(std::move(text)) {
  code_base_ = device_memory().shared_base() + code_window;
}

LoadedModule::~LoadedModule() {
  for (uint64_t address : allocations_) device_memory().free(address);
}

void LoadedModule::place_variables() {
  auto place = [&](const Variable& v, bool named) {
    if (v.space != Space::global && v.space != Space::constant) return;
    if (v.external) return;
    uint64_t bytes = std::max<uint64_t>(v.bytes, 1);
    bool constant = v.space == Space::constant;
    if (constant) constant_bytes_ += static_cast<uint32_t>(v.bytes);
    if (constant_bytes_ > 65536)
      throw PtxError(v.line, format("constants take %u bytes, 65536 is the limit", constant_bytes_));
    uint64_t address = device_memory().allocate_variable(device_, bytes, v.name, constant);
    if (!address) throw OutOfMemory{};
    allocations_.push_back(address);
    std::memset(device_memory().resolve(address, bytes, nullptr), 0, bytes);
    linkage_.address[&v] = address;
    if (named) globals_[v.name] = {address, v.bytes};
  };
  for (auto& v : syntax_.variables) place(*v, true);
  for (auto& f : syntax_.functions)
    for (auto& v : f->variables) place(*v, false);
  // References made before the definition was seen.
  for (auto& v : syntax_.variables)
    if (v->external && (v->space == Space::global || v->space == Space::constant)) {
      auto it = globals_.find(v->name);
      if (it != globals_.end()) linkage_.address[v.get()] = it->second.address;
    }
}

void LoadedModule::write_initial_values() {
  for (auto& [variable, address] : linkage_.address) {
    for (const InitialValue& value : variable->initial) {
      uint64_t bits = value.bits;
      if (!value.symbol.empty()) {
        auto global = globals_.find(value.symbol);
        auto function = linkage_.function_ids.find(value.symbol);
        if (global != globals_.end()) {
          bits = global->second.address;
        } else if (function != linkage_.function_ids.end()) {
          bits = code_base_ + 16 * static_cast<uint64_t>(function->second);
        } else {
          throw PtxError(variable->line, "initial value of " + variable->name + ": unknown name " + value.symbol);
        }
        bits += static_cast<uint64_t>(value.addend);
        if (value.mask != ~uint64_t{0} && value.mask != 0) bits = (bits & value.mask) >> __builtin_ctzll(value.mask);
      }
      std::byte* to = device_memory().resolve(address + value.offset, value.bytes, nullptr);
      std::memcpy(to, &bits, std::min<size_t>(value.bytes, 8));
    }
  }
}

void LoadedModule::compile() {
  linkage_.module = &syntax_;
  linkage_.device_cc = device_.compute_major * 10 + device_.compute_minor;
  linkage_.code_base = code_base_;
  for (auto& f : syntax_.functions) {
    if (!f->entry || !f->defined) continue;
    std::unique_ptr<Program> program = compile_kernel(*f, linkage_);
    FunctionInfo info;
    info.name = f->name;
    uint32_t offset = 0;
    for (auto& p : f->parameters) {
      uint32_t alignment = std::max(p->alignment, 1u);
      offset = (offset + alignment - 1) / alignment * alignment;
      info.parameters.push_back({offset, static_cast<uint32_t>(p->bytes), alignment});
      offset += static_cast<uint32_t>(p->bytes);
    }
    if (offset > 4352 && (syntax_.version < 81 || offset > 32764))
      throw PtxError(f->line, format("parameters of %s take %u bytes, more than the limit", f->name.c_str(), offset));
    info.parameter_bytes = offset;
    info.static_shared_bytes = program->static_shared - shared_reserved;
    info.local_bytes = program->functions[0].layout.local_bytes;
    info.constant_bytes = constant_bytes_;
    info.max_threads_per_block = f->max_threads ? std::min(f->max_threads, 1024u) : 1024;
    uint32_t live = 0;
    for (const CompiledFunction& c : program->functions) live = std::max(live, c.live_registers);
    info.registers = std::min(std::max(live, 8u), 255u);
    info.ptx_version = syntax_.version;
    info.target = syntax_.target;
    functions_.push_back(std::make_unique<LoadedFunction>(*this, std::move(program), std::move(info)));
  }
}

const Function* LoadedModule::find_function(std::string_view name) const {
  for (auto& f : functions_)
    if (f->info().name == name) return f.get();
  return nullptr;
}

std::vector<const Function*> LoadedModule::functions() const {
  std::vector<const Function*> list;
  for (auto& f : functions_) list.push_back(f.get());
  return list;
}

bool LoadedModule::find_global(std::string_view name, GlobalInfo* out) const {
  auto it = globals_.find(name);
  if (it == globals_.end()) return false;
  if (out) *out = it->second;
  return true;
}

std::string LoadedModule::line_text(int line) const {
  size_t begin = 0;
  for (int i = 1; i < line; ++i) {
    begin = text_.find('\n', begin);
    if (begin == std::string::npos) return {};
    ++begin;
  }
  size_t end = text_.find('\n', begin);
  std::string text = text_.substr(begin, end == std::string::npos ? end : end - begin);
  for (char& c : text)
    if (c == '\t' || c == '\r') c = ' ';
  size_t first = text.find_first_not_of(' ');
  return first == std::string::npos ? std::string{} : text.substr(first);
}

LoadResult load_module(const DeviceModel& device, std::string_view image) {
  LoadResult result;
  auto refuse = [&](LoadStatus status, std::string log) {
    result.module.reset();
    result.status = status;
    result.log = std::move(log);
    return std::move(result);
  };
  constexpr unsigned char elf[] = {0x7F, 'E', 'L', 'F'};
  constexpr unsigned char fatbin[] = {0x50, 0xED, 0x55, 0xBA};
  if (image.size() >= 4 && (!std::memcmp(image.data(), elf, 4) || !std::memcmp(image.data(), fatbin, 4)))
    return refuse(LoadStatus::no_binary_for_gpu, "machine code (cubin or fat binary): the simulator executes PTX only");
  size_t end = image.find('\0');
  std::string text(image.substr(0, end));
  auto module = std::make_unique<LoadedModule>(device, std::move(text));
  try {
    module->syntax_ = parse_ptx(module->text_);
    const ModuleSyntax& syntax = module->syntax_;
    if (syntax.version > newest_ptx_version)
      return refuse(LoadStatus::unsupported_ptx_version,
                    format("PTX .version %d.%d is newer than %d.%d", syntax.version / 10, syntax.version % 10,
                           newest_ptx_version / 10, newest_ptx_version % 10));
    int cc = device.compute_major * 10 + device.compute_minor;
    if (syntax.target > cc || (syntax.target_suffix && syntax.target != cc))
      return refuse(LoadStatus::no_binary_for_gpu,
                    format("PTX .target sm_%d%s does not run on a device of compute capability %d.%d", syntax.target,
                           syntax.target_suffix ? std::string(1, syntax.target_suffix).c_str() : "",
                           device.compute_major, device.compute_minor));
    for (size_t i = 0; i < syntax.functions.size(); ++i)
      module->linkage_.function_ids[syntax.functions[i]->name] = static_cast<int>(i);
    module->place_variables();
    module->write_initial_values();
    module->compile();
  } catch (const PtxError& error) {
    std::string line = module->line_text(error.line);
    bool empty = line.empty();
    return refuse(LoadStatus::invalid_ptx, format("ptx line %d: error: %s", error.line, error.what()) +
                                               (empty ? std::string{} : "\n    " + line));
  } catch (const LoadedModule::OutOfMemory&) {
    return refuse(LoadStatus::out_of_memory, "no device memory left for the module's variables");
  }
  result.module = std::move(module);
  return result;
}

}  // namespace simulator
