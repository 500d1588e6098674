#include "context.h"

#include <atomic>

#include "allocation.h"
#include "event.h"
#include "failure.h"
#include "handle_table.h"
#include "module.h"
#include "stream.h"

namespace simulator::driver {
namespace {

std::atomic<uint64_t> next_context_id{1};

HandleTable<Context, CUcontext>& created_contexts() {
  static auto* const table = new HandleTable<Context, CUcontext>("context", 1);
  return *table;
}

// A device's primary context keeps its handle for good; what the handle stands for comes and goes.
struct PrimaryContext {
  std::mutex mutex;
  ContextPointer active;
  unsigned flags = 0;
  unsigned retains = 0;
};

constexpr uint64_t primary_range = uint64_t{2} << 40;

std::vector<PrimaryContext>& primaries() {
  static auto* const all = new std::vector<PrimaryContext>(cards().size());
  return *all;
}

CUcontext primary_handle(CUdevice device) {
  return reinterpret_cast<CUcontext>(primary_range + 16 * (static_cast<uint64_t>(device) + 1));
}

PrimaryContext* primary_of(CUcontext handle) {
  const uint64_t value = reinterpret_cast<uint64_t>(handle);
  if (value <= primary_range || (value - primary_range) % 16 != 0) return nullptr;
  const uint64_t index = (value - primary_range) / 16 - 1;
  return index < primaries().size() ? &primaries()[index] : nullptr;
}

PrimaryContext& primary_of_device(CUdevice device) {
  card(device);  // throws for a bad ordinal
  return primaries()[static_cast<size_t>(device)];
}

// Everything that belongs to the context goes; its handles answer CONTEXT_IS_DESTROYED from now on.
void tear_down(const ContextPointer& context) {
  {
    std::lock_guard lock(context->submission);
    if (context->closing) fail(CUDA_ERROR_CONTEXT_IS_DESTROYED, "another thread destroys the context");
    context->closing = true;
  }
  drain(*context);
  orphan_streams(*context);
  orphan_events(*context);
  orphan_modules(*context);
  free_all(*context);
  std::vector<StreamPointer> streams;
  {
    std::lock_guard lock(context->submission);
    streams.swap(context->streams);
    for (auto& entry : context->per_thread) streams.push_back(entry.second);
    context->per_thread.clear();
    streams.push_back(std::move(context->legacy));
    context->legacy = nullptr;
  }
  for (const StreamPointer& stream : streams) stream->retire();
}

}  // namespace

Context::Context(CUdevice device_, unsigned flags_, unsigned api_version_, bool primary_)
    : device(device_), id(next_context_id++), api_version(api_version_), primary(primary_), flags(flags_) {
  limits = {{CU_LIMIT_STACK_SIZE, 1024},
            {CU_LIMIT_PRINTF_FIFO_SIZE, size_t{1} << 20},
            {CU_LIMIT_MALLOC_HEAP_SIZE, size_t{8} << 20},
            {CU_LIMIT_DEV_RUNTIME_SYNC_DEPTH, 2},
            {CU_LIMIT_DEV_RUNTIME_PENDING_LAUNCH_COUNT, 2048},
            {CU_LIMIT_MAX_L2_FETCH_GRANULARITY, 64},
            {CU_LIMIT_PERSISTING_L2_CACHE_SIZE, 0}};
}

void Context::set_sticky(CUresult code) {
  CUresult none = CUDA_SUCCESS;
  sticky_.compare_exchange_strong(none, code);
}

std::shared_ptr<Stream> Context::legacy_stream() {
  std::lock_guard lock(submission);
  if (closing) fail(CUDA_ERROR_CONTEXT_IS_DESTROYED, "the context is being destroyed");
  return legacy;
}

void Context::check() const {
  const CUresult code = sticky();
  if (code != CUDA_SUCCESS)
    fail(code, "earlier work on this context failed; every call fails until the context is destroyed");
}

ContextPointer context_of(CUcontext handle) {
  if (PrimaryContext* primary = primary_of(handle)) {
    std::lock_guard lock(primary->mutex);
    if (!primary->active)
      fail(CUDA_ERROR_CONTEXT_IS_DESTROYED, "the primary context is not active: nothing retains it");
    return primary->active;
  }
  try {
    return created_contexts().get(handle);
  } catch (const Failure& failure) {
    if (failure.code() == CUDA_ERROR_INVALID_HANDLE) throw Failure(CUDA_ERROR_INVALID_CONTEXT, failure.what());
    throw;
  }
}

std::vector<CUcontext>& context_stack() {
  static thread_local std::vector<CUcontext> stack;
  return stack;
}

ContextPointer current_context_even_failed() {
  const std::vector<CUcontext>& stack = context_stack();
  if (stack.empty() || stack.back() == nullptr)
    fail(CUDA_ERROR_INVALID_CONTEXT, "no context is current on this thread");
  return context_of(stack.back());
}

ContextPointer current_context() {
  ContextPointer context = current_context_even_failed();
  context->check();
  return context;
}

CUcontext create_context(CUdevice device, unsigned flags, unsigned api_version) {
  card(device);
  auto context = std::make_shared<Context>(device, flags, api_version, false);
  context->legacy = std::make_shared<Stream>(context, StreamKind::legacy, 0);
  const CUcontext handle = created_contexts().add(context);
  context->handle = handle;
  return handle;
}

void destroy_context(CUcontext handle) {
  if (primary_of(handle)) fail(CUDA_ERROR_INVALID_CONTEXT, "a primary context is released, not destroyed");
  const ContextPointer context = context_of(handle);
  tear_down(context);
  // Orphaned rather than removed: threads that still have it current must learn that it is destroyed.
  created_contexts().orphan([&](const Context& each) { return &each == context.get(); });
}

CUcontext retain_primary(CUdevice device) {
  PrimaryContext& primary = primary_of_device(device);
  std::lock_guard lock(primary.mutex);
  if (!primary.active) {
    auto context = std::make_shared<Context>(device, primary.flags, 12040u, true);
    context->legacy = std::make_shared<Stream>(context, StreamKind::legacy, 0);
    context->handle = primary_handle(device);
    primary.active = context;
  }
  ++primary.retains;
  return primary_handle(device);
}

void release_primary(CUdevice device) {
  PrimaryContext& primary = primary_of_device(device);
  ContextPointer last;
  {
    std::lock_guard lock(primary.mutex);
    if (primary.retains == 0)
      fail(CUDA_ERROR_INVALID_CONTEXT, "the primary context of device %d is not retained", device);
    if (--primary.retains == 0) last = std::move(primary.active), primary.active = nullptr;
  }
  if (last) tear_down(last);
}

void reset_primary(CUdevice device) {
  PrimaryContext& primary = primary_of_device(device);
  ContextPointer active;
  {
    std::lock_guard lock(primary.mutex);
    active = std::move(primary.active);
    primary.active = nullptr;
  }
  if (active) tear_down(active);
}

void set_primary_flags(CUdevice device, unsigned flags) {
  PrimaryContext& primary = primary_of_device(device);
  std::lock_guard lock(primary.mutex);
  primary.flags = flags;
  if (primary.active) primary.active->flags = flags;
}

void primary_state(CUdevice device, unsigned* flags, int* active) {
  PrimaryContext& primary = primary_of_device(device);
  std::lock_guard lock(primary.mutex);
  *flags = primary.flags;
  *active = primary.active != nullptr;
}

size_t live_contexts() { return created_contexts().live(); }

size_t primary_retains() {
  size_t retains = 0;
  for (PrimaryContext& primary : primaries()) {
    std::lock_guard lock(primary.mutex);
    retains += primary.retains;
  }
  return retains;
}

void drain(Context& context) {
  std::vector<StreamPointer> streams;
  {
    std::lock_guard lock(context.submission);
    streams = context.streams;
    for (const auto& entry : context.per_thread) streams.push_back(entry.second);
    if (context.legacy) streams.push_back(context.legacy);
  }
  for (const StreamPointer& stream : streams) stream->wait();
}

}  // namespace simulator::driver
