#include "stream.h"

#include <cstdlib>
#include <cstring>

#include "failure.h"
#include "handle_table.h"

namespace simulator::driver {
namespace {

std::atomic<uint64_t> next_stream_id{1};

HandleTable<Stream, CUstream>& created_streams() {
  static auto* const table = new HandleTable<Stream, CUstream>("stream", 3);
  return *table;
}

// At exit, threads of streams must not touch what static destructors take down: no new work is started, and
// the work that runs is waited for.
class RunningWork {
 public:
  bool begin() {
    std::lock_guard lock(mutex_);
    if (closed_) return false;
    ++running_;
    return true;
  }
  void end() {
    std::lock_guard lock(mutex_);
    if (--running_ == 0) idle_.notify_all();
  }
  void close() {
    std::unique_lock lock(mutex_);
    closed_ = true;
    idle_.wait(lock, [&] { return running_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable idle_;
  size_t running_ = 0;
  bool closed_ = false;
};

RunningWork& served_work() {
  static RunningWork* const work = [] {
    auto* created = new RunningWork;
    std::atexit([] { served_work().close(); });
    return created;
  }();
  return *work;
}

}  // namespace

bool asynchronous() {
  static const bool on = [] {
    const char* value = std::getenv("KERNELS_SIM_ASYNC");
    return value && std::strcmp(value, "1") == 0;
  }();
  return on;
}

Stream::Stream(ContextPointer context_, StreamKind kind_, int priority_)
    : context(std::move(context_)), kind(kind_), priority(priority_), id(next_stream_id++) {}

// Legacy-stream semantics: its work waits for all blocking streams of the context, and theirs for its. The
// caller holds context->submission.
std::vector<Point> Stream::implied_dependencies() {
  std::vector<Point> after;
  const auto add = [&](Stream& other) {
    const uint64_t last = other.timeline_->submitted();
    if (&other != this && other.blocking() && !other.timeline_->reached(last)) after.push_back({other.timeline_, last});
  };
  if (kind == StreamKind::legacy) {
    for (const StreamPointer& other : context->streams) add(*other);
    for (const auto& entry : context->per_thread) add(*entry.second);
  } else if (blocking() && context->legacy) {
    add(*context->legacy);
  }
  return after;
}

Point Stream::submit(std::function<CUresult()> run, std::vector<Point> after, bool even_failed) {
  Point point{timeline_, 0};
  {
    std::lock_guard submission(context->submission);
    Work work;
    work.after = implied_dependencies();
    for (Point& each : after)
      if (!each.reached()) work.after.push_back(std::move(each));
    work.run = std::move(run);
    work.even_failed = even_failed;
    std::lock_guard queue(queue_mutex_);
    point.ticket = work.ticket = timeline_->submit();
    queue_.push_back(std::move(work));
    if (asynchronous() && !served_) {
      served_ = true;
      std::thread([self = shared_from_this()] { self->serve(); }).detach();
    }
  }
  if (asynchronous())
    queue_changed_.notify_one();
  else
    perform_until(point.ticket);
  return point;
}

Point Stream::submit(Operation operation) {
  auto shared = std::make_shared<Operation>(std::move(operation));
  return submit([self = this, shared] { return perform(*self->context, *shared, self->id); });
}

Point Stream::tail() {
  std::lock_guard submission(context->submission);
  return {timeline_, timeline_->submitted()};
}

bool Stream::idle() {
  if (!tail().reached()) return false;
  std::lock_guard submission(context->submission);
  return implied_dependencies().empty() || kind != StreamKind::legacy;
}

void Stream::wait() {
  std::vector<Point> after;
  {
    std::lock_guard submission(context->submission);
    if (kind == StreamKind::legacy) after = implied_dependencies();
    after.push_back({timeline_, timeline_->submitted()});
  }
  for (const Point& point : after) point.wait();
}

void Stream::retire() {
  std::lock_guard lock(queue_mutex_);
  retired_ = true;
  queue_changed_.notify_one();
}

void Stream::run(Work& work) {
  for (const Point& point : work.after) point.wait();
  if (work.even_failed || context->sticky() == CUDA_SUCCESS) {
    const CUresult result = work.run();
    if (result != CUDA_SUCCESS) context->set_sticky(result);
  }
  timeline_->complete(work.ticket);
}

bool Stream::perform_next() {
  Work work;
  {
    std::lock_guard lock(queue_mutex_);
    if (queue_.empty()) return false;
    work = std::move(queue_.front());
    queue_.pop_front();
  }
  run(work);
  return true;
}

// By the submitting thread. Another thread may be at work on the queue: then ours is done after its.
void Stream::perform_until(uint64_t ticket) {
  std::lock_guard lock(running_);
  while (!timeline_->reached(ticket) && perform_next()) {
  }
}

void Stream::serve() {
  for (;;) {
    {
      std::unique_lock lock(queue_mutex_);
      queue_changed_.wait(lock, [&] { return retired_ || !queue_.empty(); });
      if (queue_.empty()) return;
    }
    if (!served_work().begin()) return;
    perform_next();
    served_work().end();
  }
}

StreamPointer stream_of(CUstream handle) {
  const ContextPointer current = current_context();
  if (handle == nullptr || handle == CU_STREAM_LEGACY) return current->legacy;
  if (handle == CU_STREAM_PER_THREAD) {
    std::lock_guard lock(current->submission);
    StreamPointer& stream = current->per_thread[std::this_thread::get_id()];
    if (!stream) stream = std::make_shared<Stream>(current, StreamKind::per_thread, 0);
    return stream;
  }
  StreamPointer stream = created_streams().get(handle);
  stream->context->check();
  return stream;
}

StreamPointer create_stream(const ContextPointer& context, unsigned flags, int priority) {
  const StreamKind kind = flags & CU_STREAM_NON_BLOCKING ? StreamKind::non_blocking : StreamKind::blocking;
  auto stream = std::make_shared<Stream>(context, kind, priority);
  stream->handle = created_streams().add(stream);
  std::lock_guard lock(context->submission);
  context->streams.push_back(stream);
  return stream;
}

void destroy_stream(CUstream handle) {
  const StreamPointer stream = created_streams().remove(handle);
  stream->retire();
  // The legacy stream still has to wait for what a destroyed stream has not done; the rest may go.
  Context& context = *stream->context;
  std::lock_guard lock(context.submission);
  auto& streams = context.streams;
  for (auto each = streams.begin(); each != streams.end();) {
    Stream& other = **each;
    const bool gone = other.handle == handle || !created_streams().find(other.handle);
    const bool done = other.timeline_done();
    each = gone && done ? streams.erase(each) : std::next(each);
  }
}

size_t live_streams() { return created_streams().live(); }

void orphan_streams(const Context& context) {
  created_streams().orphan([&](const Stream& stream) { return stream.context.get() == &context; });
}

}  // namespace simulator::driver
