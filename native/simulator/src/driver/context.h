// Contexts: what they own, which is current on a thread, and the error that sticks to them.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "card.h"
#include "cuda_abi.h"

namespace simulator::driver {

class Stream;

class Context {
 public:
  Context(CUdevice device, unsigned flags, unsigned api_version, bool primary);

  const CUdevice device;
  const uint64_t id;
  const unsigned api_version;
  const bool primary;
  std::atomic<unsigned> flags;
  CUcontext handle = nullptr;

  const DeviceModel& model() const { return card(device).model; }

  // The error of a launch that went wrong; the first one stays until the context goes.
  CUresult sticky() const { return sticky_.load(); }
  void set_sticky(CUresult code);
  void check() const;  // throws the sticky error

  // The stream of handle 0. Throws CONTEXT_IS_DESTROYED once the context goes.
  std::shared_ptr<Stream> legacy_stream();

  // Streams, by whoever submits. `submission` orders submissions within the context and guards what follows.
  std::mutex submission;
  bool closing = false;            // the context is being destroyed: nothing is submitted any more
  std::shared_ptr<Stream> legacy;  // for good, but for the end of the context
  std::unordered_map<std::thread::id, std::shared_ptr<Stream>> per_thread;
  std::vector<std::shared_ptr<Stream>> streams;  // created ones, and destroyed ones that still have work

  std::map<CUlimit, size_t> limits;

 private:
  std::atomic<CUresult> sticky_{CUDA_SUCCESS};
};

using ContextPointer = std::shared_ptr<Context>;

// The context of a handle. Throws INVALID_CONTEXT, or CONTEXT_IS_DESTROYED.
ContextPointer context_of(CUcontext handle);

// The calling thread's context; throws INVALID_CONTEXT, CONTEXT_IS_DESTROYED, or its sticky error.
ContextPointer current_context();
// The same without the sticky error: for the calls that still work on a failed context.
ContextPointer current_context_even_failed();

// The thread's stack of current contexts; the last one is current.
std::vector<CUcontext>& context_stack();

CUcontext create_context(CUdevice device, unsigned flags, unsigned api_version);
void destroy_context(CUcontext handle);

CUcontext retain_primary(CUdevice device);
void release_primary(CUdevice device);
void reset_primary(CUdevice device);
void set_primary_flags(CUdevice device, unsigned flags);
void primary_state(CUdevice device, unsigned* flags, int* active);

// For the books: contexts created and not destroyed; retains of primary contexts not released.
size_t live_contexts();
size_t primary_retains();

// Throws INVALID_VALUE for flags that cuda.h does not name.
void check_context_flags(unsigned flags);

// Waits for everything submitted to the context's streams.
void drain(Context& context);

}  // namespace simulator::driver
