// cuEvent*.
#include "api.h"
#include "capture.h"
#include "event.h"
#include "pool.h"

using namespace simulator::driver;

namespace {

Event::Recording last_recording(Event& event) {
  std::lock_guard lock(event.mutex);
  return event.last;
}

}  // namespace

SIMULATOR_API cuEventCreate(CUevent* phEvent, unsigned int Flags) {
  return api("cuEventCreate", [&] {
    require_pointer(phEvent, "phEvent");
    constexpr unsigned known = CU_EVENT_BLOCKING_SYNC | CU_EVENT_DISABLE_TIMING | CU_EVENT_INTERPROCESS;
    if (Flags & ~known) fail(CUDA_ERROR_INVALID_VALUE, "Flags = 0x%x", Flags);
    if (Flags & CU_EVENT_INTERPROCESS) fail(CUDA_ERROR_NOT_SUPPORTED, "interprocess events are not simulated");
    *phEvent = create_event(current_context(), Flags);
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuEventDestroy_v2(CUevent hEvent) {
  return api("cuEventDestroy_v2", [&] {
    destroy_event(hEvent);
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuEventRecordWithFlags(CUevent hEvent, CUstream hStream, unsigned int flags) {
  return api("cuEventRecordWithFlags", [&] {
    const StreamPointer stream = stream_of(hStream);
    if (flags == CU_EVENT_RECORD_EXTERNAL) {
      // Outside of a capture it means nothing; inside it would be a node of its own.
      if (capture_status(*stream) != CU_STREAM_CAPTURE_STATUS_NONE)
        fail(CUDA_ERROR_NOT_SUPPORTED, "external event records in captures are not simulated");
    } else if (flags != CU_EVENT_RECORD_DEFAULT) {
      fail(CUDA_ERROR_INVALID_VALUE, "flags = %u", flags);
    }
    record(event_of(hEvent), stream);
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuEventRecord(CUevent hEvent, CUstream hStream) {
  return api("cuEventRecord", [&] {
    record(event_of(hEvent), stream_of(hStream));
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuEventQuery(CUevent hEvent) {
  return api("cuEventQuery", [&] {
    const EventPointer event = event_of(hEvent);
    refuse_captured(*event);
    refuse_unsafe_call("cuEventQuery");
    const bool reached = last_recording(*event).point.reached();
    event->context->check();
    return reached ? CUDA_SUCCESS : CUDA_ERROR_NOT_READY;
  });
}

SIMULATOR_API cuEventSynchronize(CUevent hEvent) {
  return api("cuEventSynchronize", [&] {
    const EventPointer event = event_of(hEvent);
    refuse_captured(*event);
    refuse_unsafe_call("cuEventSynchronize");
    last_recording(*event).point.wait();
    release_pooled_memory(event->context->device);
    event->context->check();
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuEventElapsedTime(float* pMilliseconds, CUevent hStart, CUevent hEnd) {
  return api("cuEventElapsedTime", [&] {
    require_pointer(pMilliseconds, "pMilliseconds");
    const EventPointer start = event_of(hStart), end = event_of(hEnd);
    if (start->context != end->context) fail(CUDA_ERROR_INVALID_HANDLE, "the events are of different contexts");
    if ((start->flags | end->flags) & CU_EVENT_DISABLE_TIMING)
      fail(CUDA_ERROR_INVALID_HANDLE, "an event was created without timing");
    refuse_captured(*start);
    refuse_captured(*end);
    const Event::Recording from = last_recording(*start), to = last_recording(*end);
    if (!from.point.timeline || !to.point.timeline) fail(CUDA_ERROR_INVALID_HANDLE, "an event was never recorded");
    if (!from.point.reached() || !to.point.reached()) return CUDA_ERROR_NOT_READY;
    *pMilliseconds = std::chrono::duration<float, std::milli>(*to.reached_at - *from.reached_at).count();
    return CUDA_SUCCESS;
  });
}
