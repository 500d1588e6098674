// Stream capture: calls on a capturing stream become nodes of a graph; calls that cannot be captured are
// refused and spoil the capture, as cuda.h documents.
#pragma once

#include <memory>
#include <mutex>
#include <thread>

#include "event.h"
#include "graph.h"
#include "stream.h"

namespace simulator::driver {

class Capture {
 public:
  GraphPointer graph;
  std::weak_ptr<Stream> origin;
  CUstreamCaptureMode mode = CU_STREAM_CAPTURE_MODE_GLOBAL;
  std::thread::id thread;
  uint64_t id = 0;
  bool invalidated = false, ended = false;
  std::vector<std::weak_ptr<Stream>> streams;  // origin and those that joined through events
  std::vector<CUgraphNode> reported_tail;      // what cuStreamGetCaptureInfo last pointed to
};
using CapturePointer = std::shared_ptr<Capture>;

// Submits the operation, or makes it a node where the stream is capturing.
// Returns the place in the stream; no timeline where it was captured.
Point enqueue(const StreamPointer& stream, Operation operation);

// For stream calls that cannot be captured: throws (and invalidates the capture) where the stream, or a
// stream that the legacy stream would have to wait for, is capturing.
void refuse_capture(const StreamPointer& stream, const char* call);
// For "potentially unsafe" calls such as cuMemAlloc: throws where capture modes of this or other threads
// forbid them.
void refuse_unsafe_call(const char* call);
// For cuCtxSynchronize: throws where any stream of the context is capturing.
void refuse_capture_in(Context& context, const char* call);
// For event calls: throws where the event was last recorded in a capture.
void refuse_captured(Event& event);

// Record and wait of events in captures; false where no capture is involved and the ordinary way is to be
// taken.
bool capture_record(const EventPointer& event, const StreamPointer& stream);
bool capture_wait(const StreamPointer& stream, const EventPointer& event);

void begin_capture(const StreamPointer& stream, CUstreamCaptureMode mode);
GraphPointer end_capture(const StreamPointer& stream);
void abandon_capture(const StreamPointer& stream);  // the stream is destroyed
CUstreamCaptureStatus capture_status(Stream& stream);

CUstreamCaptureMode exchange_thread_mode(CUstreamCaptureMode mode);

std::mutex& capture_mutex();

}  // namespace simulator::driver
