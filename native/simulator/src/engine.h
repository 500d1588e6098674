// What the driver half (driver/*.cpp: the exported cu* functions, streams, contexts) knows of the executing
// half (PTX front end, interpreter, device memory). Nothing else crosses this line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace simulator {

// The card that is simulated. Values of a real card of that compute capability.
struct DeviceModel {
  int ordinal = 0;
  std::string name;
  int compute_major = 9, compute_minor = 0;
  int multiprocessors = 132;
  int max_threads_per_multiprocessor = 2048;
  int max_blocks_per_multiprocessor = 32;
  int registers_per_multiprocessor = 65536;
  size_t shared_per_multiprocessor = 228 * 1024;
  size_t shared_per_block = 48 * 1024;         // without opting in
  size_t shared_per_block_optin = 227 * 1024;  // CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES up to here
  size_t reserved_shared_per_block = 1024;
  size_t memory_bytes = size_t{8} << 30;
};

// ---- Device memory
// -------------------------------------------------------------------------------------------

enum class AllocationKind : uint8_t { device, pinned_host, managed, module_global };

struct Allocation {
  uint64_t address = 0;  // device address; kernels and the driver API use this one
  size_t bytes = 0;
  uint64_t id = 0;  // never reused
  AllocationKind kind = AllocationKind::device;
  std::byte* host = nullptr;  // where the bytes are; for pinned_host address == (uint64_t)host
  int device = 0;
};

enum class FreeOutcome : uint8_t { freed, not_an_allocation, already_freed, interior_pointer };

// All device memory of the process. Thread-safe. A device pointer dereferenced by host code faults: device
// addresses are not host addresses (except pinned host memory, which both sides share).
class Memory {
 public:
  virtual ~Memory() = default;
  // 0 when the device's memory_bytes would be exceeded. Fresh bytes are 0xFF (NaN in every float type).
  virtual uint64_t allocate(const DeviceModel& device, size_t bytes, AllocationKind kind) = 0;
  // Freed memory is quarantined: its addresses are not handed out again soon, accesses are "use after free".
  virtual FreeOutcome free(uint64_t address) = 0;
  // Registers host memory [host, host+bytes) that kernels may access at its own address.
  virtual bool register_host(void* host, size_t bytes) = 0;
  virtual bool unregister_host(void* host) = 0;
  // The live allocation that contains address.
  virtual bool find(uint64_t address, Allocation* out) const = 0;
  // The host bytes behind [address, address+bytes) if it lies inside one live allocation, else nullptr; *why
  // then says what is wrong in words ("0x... is 16 bytes past the end of a 1024-byte allocation", "... was
  // freed").
  virtual std::byte* resolve(uint64_t address, size_t bytes, std::string* why) = 0;
  virtual size_t used(int device) const = 0;  // bytes allocated and not freed
  virtual size_t live_allocations(int device) const = 0;
};

Memory& memory();

// ---- Modules and functions
// -----------------------------------------------------------------------------------

struct ParameterInfo {
  uint32_t offset = 0, bytes = 0, alignment = 1;
};

struct FunctionInfo {
  std::string name;
  std::vector<ParameterInfo> parameters;
  uint32_t parameter_bytes = 0;
  uint32_t static_shared_bytes = 0;
  uint32_t local_bytes = 0;  // per thread
  uint32_t constant_bytes = 0;
  uint32_t max_threads_per_block = 1024;  // .maxntid or the device's limit
  uint32_t registers = 0;                 // largest number of live registers, an estimate
  int ptx_version = 0;                    // 84 for 8.4
  int target = 0;                         // 80 for sm_80
};

struct GlobalInfo {
  uint64_t address = 0;
  size_t bytes = 0;
};

enum class LoadStatus : uint8_t {
  ok,
  invalid_image,
  invalid_ptx,
  unsupported_ptx_version,
  no_binary_for_gpu,
  out_of_memory
};

// A loaded module: PTX text compiled to op arrays, its globals and constants allocated and initialised.
// Functions live as long as their module.
class Function;
class Module {
 public:
  virtual ~Module() = default;  // frees its globals
  virtual const Function* find_function(std::string_view name) const = 0;
  virtual std::vector<const Function*> functions() const = 0;
  virtual bool find_global(std::string_view name, GlobalInfo* out) const = 0;
};
class Function {
 public:
  virtual ~Function() = default;
  virtual const FunctionInfo& info() const = 0;
  virtual const Module& module() const = 0;
};

struct LoadResult {
  std::unique_ptr<Module> module;  // null unless status is ok
  LoadStatus status = LoadStatus::ok;
  std::string log;  // what the JIT error log gets: line number, instruction text, reason
};

// image: PTX text, zero-terminated or of the given length. Cubins and fat binaries: no_binary_for_gpu.
// PTX whose .target is above the device's compute capability: no_binary_for_gpu. An unknown instruction or
// one above the module's own .target or .version: invalid_ptx, with line and text in the log.
LoadResult load_module(const DeviceModel& device, std::string_view image);

// ---- Launches
// ------------------------------------------------------------------------------------------------

struct Dim3 {
  uint32_t x = 1, y = 1, z = 1;
};

struct Launch {
  const Function* function = nullptr;
  Dim3 grid, block;
  uint32_t dynamic_shared_bytes = 0;
  std::vector<std::byte> parameters;  // packed as FunctionInfo::parameters says
  bool cooperative = false;           // all blocks co-resident
  uint64_t stream_id = 0;             // for reports and statistics
};

enum class Fault : uint8_t {
  none,
  illegal_address,     // CUDA_ERROR_ILLEGAL_ADDRESS
  misaligned_address,  // CUDA_ERROR_MISALIGNED_ADDRESS
  invalid_address_space,
  illegal_instruction,
  launch_timeout,  // CUDA_ERROR_LAUNCH_TIMEOUT
  launch_failed,   // CUDA_ERROR_LAUNCH_FAILED: barrier deadlock, local stack overflow, failed check
  assert_failed,   // CUDA_ERROR_ASSERT
  trap             // CUDA_ERROR_LAUNCH_FAILED
};

// Runs one launch to its end on the calling thread plus the worker pool, prints the report of a fault to
// standard error (kernel, block, thread, PTX line and text, CUDA line with -lineinfo, address, nearest
// allocation) and appends the counters as one JSON line when statistics are on. The caller has validated
// dimensions against the device.
Fault execute(const DeviceModel& device, const Launch& launch, std::string* report);

}  // namespace simulator
