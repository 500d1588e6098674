// Streams: queues of work done in order, on a thread of the stream's own (KERNELS_SIM_ASYNC=1) or by the
// thread that submits. Both ways go through the same queue, so that the order and the dependencies are the
// same.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "context.h"
#include "operation.h"
#include "timeline.h"

namespace simulator::driver {

class Capture;
class GraphNode;

enum class StreamKind : uint8_t { legacy, per_thread, blocking, non_blocking };

class Stream : public std::enable_shared_from_this<Stream> {
 public:
  Stream(ContextPointer context, StreamKind kind, int priority);

  const ContextPointer context;
  const StreamKind kind;
  const int priority;
  const uint64_t id;  // never used again, unlike real drivers' handles
  CUstream handle = nullptr;
  std::weak_ptr<const void> owner;  // of a per-thread stream: expires with its thread; guarded by context->submission

  bool blocking() const { return kind != StreamKind::non_blocking; }

  // Work in order after everything submitted before, after what legacy-stream semantics ask for, and after
  // `after`. `run` is skipped on a failed context unless `even_failed`. Waits while the queue is full; throws
  // CONTEXT_IS_DESTROYED where the context is being destroyed, and INVALID_HANDLE where the stream is.
  Point submit(std::function<CUresult()> run, std::vector<Point> after = {}, bool even_failed = false);
  Point submit(Operation operation);

  // The end of what is submitted now, legacy-stream semantics included.
  Point tail();
  bool idle();
  bool timeline_done() const { return timeline_->reached(timeline_->submitted()); }
  void wait();
  // No more submissions: its thread ends when the queue is empty.
  void retire();

  // Stream capture; guarded by capture_mutex() (capture.h).
  std::shared_ptr<Capture> capture;
  std::vector<std::shared_ptr<GraphNode>> capture_tail;

 private:
  struct Work {
    uint64_t ticket = 0;
    std::vector<Point> after;
    std::function<CUresult()> run;
    bool even_failed = false;
  };

  std::vector<Point> implied_dependencies();
  void perform_until(uint64_t ticket);
  bool perform_next();
  void run(Work& work);
  void start_serving();
  void wait_for_room();
  void serve();

  const std::shared_ptr<Timeline> timeline_ = std::make_shared<Timeline>();
  std::mutex queue_mutex_;
  std::condition_variable queue_changed_, queue_has_room_;
  std::deque<Work> queue_;
  bool retired_ = false, served_ = false;
  std::mutex running_;  // held by the one thread that takes work off the queue
};

using StreamPointer = std::shared_ptr<Stream>;

// KERNELS_SIM_ASYNC=1.
bool asynchronous();

// The stream of a handle: 0 and CU_STREAM_LEGACY are the current context's legacy stream,
// CU_STREAM_PER_THREAD its stream of the calling thread. Throws for the current context's errors, the
// stream's context's errors and bad handles.
StreamPointer stream_of(CUstream handle);

StreamPointer create_stream(const ContextPointer& context, unsigned flags, int priority);
void destroy_stream(CUstream handle);
size_t live_streams();
void orphan_streams(const Context& context);

}  // namespace simulator::driver
