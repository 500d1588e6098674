#include "capture.h"

#include <algorithm>
#include <atomic>
#include <unordered_set>
#include <utility>

#include "failure.h"

namespace simulator::driver {
namespace {

std::atomic<uint64_t> next_capture_id{1};
std::atomic<size_t> active_captures{0};  // lets calls skip the lock in the usual case

thread_local CUstreamCaptureMode thread_mode = CU_STREAM_CAPTURE_MODE_GLOBAL;

std::vector<CapturePointer>& captures() {
  static auto* const all = new std::vector<CapturePointer>;
  return *all;
}

// A blocking stream of the context that is capturing: the legacy stream would have to wait for it.
CapturePointer implicit_capture(Context& context) {
  std::lock_guard lock(context.submission);
  for (const StreamPointer& stream : context.streams)
    if (stream->blocking() && stream->capture) return stream->capture;
  return nullptr;
}

void check_implicit(const StreamPointer& stream) {
  if (stream->kind != StreamKind::legacy) return;
  const CapturePointer other = implicit_capture(*stream->context);
  if (!other) return;
  other->invalidated = true;
  fail(CUDA_ERROR_STREAM_CAPTURE_IMPLICIT,
       "the legacy stream would have to wait for a blocking stream that is capturing");
}

void check_valid(const Capture& capture) {
  if (capture.invalidated)
    fail(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, "the capture was invalidated by an earlier error");
}

void forget(const CapturePointer& capture) {
  for (const std::weak_ptr<Stream>& weak : capture->streams)
    if (const StreamPointer stream = weak.lock()) {
      stream->capture = nullptr;
      stream->capture_tail.clear();
    }
  capture->ended = true;
  auto& all = captures();
  const auto found = std::find(all.begin(), all.end(), capture);
  if (found != all.end()) {
    all.erase(found);
    --active_captures;
  }
}

// Every node must lead to the origin's tail; otherwise a stream was forked and never joined.
bool joined(const Capture& capture, const std::vector<NodePointer>& tail) {
  std::unordered_set<const GraphNode*> reached;
  std::vector<const GraphNode*> open;
  for (const NodePointer& node : tail) open.push_back(node.get());
  while (!open.empty()) {
    const GraphNode* node = open.back();
    open.pop_back();
    if (!reached.insert(node).second) continue;
    for (const NodePointer& dependency : node->dependencies) open.push_back(dependency.get());
  }
  return std::all_of(capture.graph->nodes.begin(), capture.graph->nodes.end(),
                     [&](const NodePointer& node) { return reached.count(node.get()) != 0; });
}

}  // namespace

std::mutex& capture_mutex() {
  static auto* const mutex = new std::mutex;
  return *mutex;
}

Point enqueue(const StreamPointer& stream, Operation operation) {
  if (active_captures != 0) {
    std::lock_guard lock(capture_mutex());
    if (const CapturePointer capture = stream->capture) {
      check_valid(*capture);
      std::lock_guard structure(graph_mutex());
      NodePointer node = capture->graph->add(std::move(operation), stream->capture_tail, stream->context->handle);
      stream->capture_tail = {std::move(node)};
      return {};
    }
    check_implicit(stream);
  }
  return stream->submit(std::move(operation));
}

void refuse_capture(const StreamPointer& stream, const char* call) {
  if (active_captures == 0) return;
  std::lock_guard lock(capture_mutex());
  check_implicit(stream);
  if (!stream->capture) return;
  check_valid(*stream->capture);
  stream->capture->invalidated = true;
  fail(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "%s is not permitted on a stream that is capturing", call);
}

void refuse_unsafe_call(const char* call) {
  if (active_captures == 0 || thread_mode == CU_STREAM_CAPTURE_MODE_RELAXED) return;
  std::lock_guard lock(capture_mutex());
  const std::thread::id self = std::this_thread::get_id();
  bool refused = false;
  for (const CapturePointer& capture : captures()) {
    const bool own = capture->thread == self && capture->mode != CU_STREAM_CAPTURE_MODE_RELAXED;
    const bool other = capture->thread != self && capture->mode == CU_STREAM_CAPTURE_MODE_GLOBAL &&
                       thread_mode == CU_STREAM_CAPTURE_MODE_GLOBAL;
    if (own || other) refused = capture->invalidated = true;
  }
  if (refused)
    fail(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED,
         "%s is not permitted while a stream is capturing (see cuThreadExchangeStreamCaptureMode)", call);
}

void refuse_capture_in(Context& context, const char* call) {
  if (active_captures == 0) return;
  std::lock_guard lock(capture_mutex());
  bool refused = false;
  for (const CapturePointer& capture : captures())
    for (const std::weak_ptr<Stream>& weak : capture->streams)
      if (const StreamPointer stream = weak.lock(); stream && stream->context.get() == &context)
        refused = capture->invalidated = true;
  if (refused)
    fail(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "%s is not permitted while a stream of the context is capturing", call);
}

void refuse_captured(Event& event) {
  std::lock_guard lock(event.mutex);
  if (event.capture) fail(CUDA_ERROR_CAPTURED_EVENT, "the event was last recorded in a capturing stream");
}

bool capture_record(const EventPointer& event, const StreamPointer& stream) {
  if (active_captures == 0) return false;
  std::lock_guard lock(capture_mutex());
  check_implicit(stream);
  if (!stream->capture) return false;
  check_valid(*stream->capture);
  std::lock_guard own(event->mutex);
  event->capture = stream->capture;
  event->captured = stream->capture_tail;
  return true;
}

bool capture_wait(const StreamPointer& stream, const EventPointer& event) {
  std::lock_guard lock(capture_mutex());
  std::lock_guard own(event->mutex);
  const CapturePointer from = event->capture;
  const CapturePointer into = stream->capture;
  if (!from && !into) {
    check_implicit(stream);
    return false;
  }
  if (into) check_valid(*into);
  if (!from) {
    if (!event->recorded) return true;  // never recorded: nothing to wait for
    into->invalidated = true;
    fail(CUDA_ERROR_STREAM_CAPTURE_ISOLATION,
         "a capturing stream cannot wait for an event recorded outside of the capture");
  }
  if (from->ended) {
    if (into) into->invalidated = true;
    fail(into ? CUDA_ERROR_STREAM_CAPTURE_ISOLATION : CUDA_ERROR_CAPTURED_EVENT,
         "the event was last recorded in a capture that has ended");
  }
  check_valid(*from);
  if (!into) {
    if (stream->kind == StreamKind::legacy) {
      from->invalidated = true;
      fail(CUDA_ERROR_STREAM_CAPTURE_IMPLICIT, "the legacy stream cannot join a capture");
    }
    stream->capture = from;
    stream->capture_tail = event->captured;
    from->streams.push_back(stream);
    return true;
  }
  if (into != from) {
    into->invalidated = from->invalidated = true;
    fail(CUDA_ERROR_STREAM_CAPTURE_MERGE, "the event belongs to another capture than the stream");
  }
  for (const NodePointer& node : event->captured)
    if (std::find(stream->capture_tail.begin(), stream->capture_tail.end(), node) == stream->capture_tail.end())
      stream->capture_tail.push_back(node);
  return true;
}

void begin_capture(const StreamPointer& stream, CUstreamCaptureMode mode) {
  if (stream->kind == StreamKind::legacy)
    fail(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "the legacy stream cannot be captured");
  std::lock_guard lock(capture_mutex());
  if (stream->capture) fail(CUDA_ERROR_ILLEGAL_STATE, "the stream is capturing already");
  auto capture = std::make_shared<Capture>();
  capture->graph = create_graph();
  capture->origin = stream;
  capture->mode = mode;
  capture->thread = std::this_thread::get_id();
  capture->id = next_capture_id++;
  capture->streams.push_back(stream);
  stream->capture = capture;
  stream->capture_tail.clear();
  captures().push_back(capture);
  ++active_captures;
}

GraphPointer end_capture(const StreamPointer& stream) {
  std::lock_guard lock(capture_mutex());
  const CapturePointer capture = stream->capture;
  if (!capture) fail(CUDA_ERROR_ILLEGAL_STATE, "the stream is not capturing");
  if (capture->origin.lock() != stream) {
    capture->invalidated = true;
    fail(CUDA_ERROR_STREAM_CAPTURE_UNMATCHED, "the capture began in another stream");
  }
  if (capture->mode != CU_STREAM_CAPTURE_MODE_RELAXED && capture->thread != std::this_thread::get_id())
    fail(CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD, "the capture began on another thread and is not relaxed");
  const std::vector<NodePointer> tail = stream->capture_tail;
  forget(capture);
  const auto refuse = [&](CUresult code, const char* why) {
    destroy_graph(capture->graph->handle);
    fail(code, "%s", why);
  };
  if (capture->invalidated)
    refuse(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, "the capture was invalidated by an earlier error");
  if (!joined(*capture, tail))
    refuse(CUDA_ERROR_STREAM_CAPTURE_UNJOINED, "work of a forked stream was not joined to the origin stream");
  return capture->graph;
}

void abandon_capture(const StreamPointer& stream) {
  if (active_captures == 0) return;
  std::lock_guard lock(capture_mutex());
  const CapturePointer capture = stream->capture;
  if (!capture) return;
  capture->invalidated = true;
  if (capture->origin.lock() != stream) return;
  destroy_graph(capture->graph->handle);
  forget(capture);
}

CUstreamCaptureStatus capture_status(Stream& stream) {
  std::lock_guard lock(capture_mutex());
  if (!stream.capture) return CU_STREAM_CAPTURE_STATUS_NONE;
  return stream.capture->invalidated ? CU_STREAM_CAPTURE_STATUS_INVALIDATED : CU_STREAM_CAPTURE_STATUS_ACTIVE;
}

CUstreamCaptureMode exchange_thread_mode(CUstreamCaptureMode mode) { return std::exchange(thread_mode, mode); }

}  // namespace simulator::driver
