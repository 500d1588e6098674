// Events: a place in a stream's order, and when the stream got there.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <vector>

#include "context.h"
#include "timeline.h"

namespace simulator::driver {

class Capture;
class GraphNode;
class Stream;

struct Event {
  Event(ContextPointer context, unsigned flags) : context(std::move(context)), flags(flags) {}

  const ContextPointer context;
  const unsigned flags;
  CUevent handle = nullptr;

  using Clock = std::chrono::steady_clock;
  // One recording; a later cuEventRecord makes a new one, so that work in flight cannot disturb it.
  struct Recording {
    Point point;
    std::shared_ptr<Clock::time_point> reached_at;
  };

  std::mutex mutex;
  Recording last;
  bool recorded = false;
  // Set when last recorded in a capturing stream: then it stands for these nodes and not for a point in time.
  std::shared_ptr<Capture> capture;
  std::vector<std::shared_ptr<GraphNode>> captured;
};

using EventPointer = std::shared_ptr<Event>;

// Checks the current context, the event's context and the handle.
EventPointer event_of(CUevent handle);
CUevent create_event(const ContextPointer& context, unsigned flags);
void destroy_event(CUevent handle);
size_t live_events();
void orphan_events(const Context& context);

void record(const EventPointer& event, const std::shared_ptr<Stream>& stream);
void wait(const std::shared_ptr<Stream>& stream, const EventPointer& event);

}  // namespace simulator::driver
