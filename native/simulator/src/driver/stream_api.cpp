// cuStream*, without capture.
#include "api.h"
#include "capture.h"
#include "pool.h"
#include "stream.h"

using namespace simulator::driver;

namespace {

CUresult create(CUstream* phStream, unsigned flags, int priority) {
  require_pointer(phStream, "phStream");
  if ((flags & ~static_cast<unsigned>(CU_STREAM_NON_BLOCKING)) != 0)
    fail(CUDA_ERROR_INVALID_VALUE, "flags = 0x%x", flags);
  // Priorities outside of the range are clamped to it.
  const int clamped = priority > 0 ? 0 : priority < -5 ? -5 : priority;
  *phStream = create_stream(current_context(), flags, clamped)->handle;
  return CUDA_SUCCESS;
}

}  // namespace

SIMULATOR_API cuStreamCreate(CUstream* phStream, unsigned int Flags) {
  return api("cuStreamCreate", [&] { return create(phStream, Flags, 0); });
}

SIMULATOR_API cuStreamCreateWithPriority(CUstream* phStream, unsigned int flags, int priority) {
  return api("cuStreamCreateWithPriority", [&] { return create(phStream, flags, priority); });
}

SIMULATOR_API cuStreamDestroy_v2(CUstream hStream) {
  return api("cuStreamDestroy_v2", [&] {
    if (reinterpret_cast<uintptr_t>(hStream) <= 2)
      fail(CUDA_ERROR_INVALID_HANDLE, "a default stream cannot be destroyed");
    abandon_capture(stream_of(hStream));
    destroy_stream(hStream);
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuStreamSynchronize(CUstream hStream) {
  return api("cuStreamSynchronize", [&] {
    const StreamPointer stream = stream_of(hStream);
    refuse_capture(stream, "cuStreamSynchronize");
    stream->wait();
    release_pooled_memory(stream->context->device);
    stream->context->check();
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuStreamQuery(CUstream hStream) {
  return api("cuStreamQuery", [&] {
    const StreamPointer stream = stream_of(hStream);
    refuse_capture(stream, "cuStreamQuery");
    const bool idle = stream->idle();
    stream->context->check();
    return idle ? CUDA_SUCCESS : CUDA_ERROR_NOT_READY;
  });
}

SIMULATOR_API cuStreamWaitEvent(CUstream hStream, CUevent hEvent, unsigned int Flags) {
  return api("cuStreamWaitEvent", [&] {
    const StreamPointer stream = stream_of(hStream);
    const EventPointer event = event_of(hEvent);
    if (Flags == CU_EVENT_WAIT_EXTERNAL)
      fail(CUDA_ERROR_NOT_SUPPORTED, "external event waits in captures are not simulated");
    if (Flags != CU_EVENT_WAIT_DEFAULT) fail(CUDA_ERROR_INVALID_VALUE, "Flags = %u", Flags);
    wait(stream, event);
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuStreamAddCallback(CUstream hStream, CUstreamCallback callback, void* userData, unsigned int flags) {
  return api("cuStreamAddCallback", [&] {
    if (callback == nullptr) fail(CUDA_ERROR_INVALID_VALUE, "callback is null");
    if (flags != 0) fail(CUDA_ERROR_INVALID_VALUE, "flags = %u, must be 0", flags);
    const StreamPointer stream = stream_of(hStream);
    refuse_capture(stream, "cuStreamAddCallback");
    // Unlike a host function, a callback is called on a failed context too, with its error.
    stream->submit(
        [=, context = stream->context] {
          HostFunctionScope scope;
          callback(hStream, context->sticky(), userData);
          return CUDA_SUCCESS;
        },
        {}, true);
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuStreamGetId(CUstream hStream, unsigned long long* streamId) {
  return api("cuStreamGetId", [&] {
    require_pointer(streamId, "streamId");
    *streamId = stream_of(hStream)->id;
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuStreamGetCtx(CUstream hStream, CUcontext* pctx) {
  return api("cuStreamGetCtx", [&] {
    require_pointer(pctx, "pctx");
    const StreamPointer stream = stream_of(hStream);
    refuse_capture(stream, "cuStreamGetCtx");
    *pctx = stream->context->handle;
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuStreamGetFlags(CUstream hStream, unsigned int* flags) {
  return api("cuStreamGetFlags", [&] {
    require_pointer(flags, "flags");
    *flags = stream_of(hStream)->blocking() ? CU_STREAM_DEFAULT : CU_STREAM_NON_BLOCKING;
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuStreamGetPriority(CUstream hStream, int* priority) {
  return api("cuStreamGetPriority", [&] {
    require_pointer(priority, "priority");
    *priority = stream_of(hStream)->priority;
    return CUDA_SUCCESS;
  });
}
