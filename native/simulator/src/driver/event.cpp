#include "event.h"

#include "capture.h"
#include "failure.h"
#include "handle_table.h"
#include "stream.h"

namespace simulator::driver {
namespace {

HandleTable<Event, CUevent>& events() {
  static auto* const table = new HandleTable<Event, CUevent>("event", 7);
  return *table;
}

}  // namespace

EventPointer event_of(CUevent handle) {
  current_context();
  EventPointer event = events().get(handle);
  event->context->check();
  return event;
}

CUevent create_event(const ContextPointer& context, unsigned flags) {
  auto event = std::make_shared<Event>(context, flags);
  event->handle = events().add(event);
  return event->handle;
}

void destroy_event(CUevent handle) {
  event_of(handle);
  events().remove(handle);
}

size_t live_events() { return events().live(); }

void orphan_events(const Context& context) {
  events().orphan([&](const Event& event) { return event.context.get() == &context; });
}

void record(const EventPointer& event, const StreamPointer& stream) {
  if (event->context != stream->context)
    fail(CUDA_ERROR_INVALID_HANDLE, "the event and the stream are of different contexts");
  if (capture_record(event, stream)) return;
  Event::Recording recording;
  recording.reached_at = std::make_shared<Event::Clock::time_point>();
  // Reached on a failed context too, so that nobody waits for ever.
  recording.point = stream->submit(
      [at = recording.reached_at] {
        *at = Event::Clock::now();
        return CUDA_SUCCESS;
      },
      {}, true);
  std::lock_guard lock(event->mutex);
  event->last = recording;
  event->recorded = true;
  event->capture = nullptr;
  event->captured.clear();
}

void wait(const StreamPointer& stream, const EventPointer& event) {
  if (capture_wait(stream, event)) return;
  Point point;
  {
    std::lock_guard lock(event->mutex);
    point = event->last.point;
  }
  if (point.timeline) stream->submit([] { return CUDA_SUCCESS; }, {point}, true);
}

}  // namespace simulator::driver
