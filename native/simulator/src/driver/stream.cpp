#include "stream.h"

#include <cstdlib>
#include <cstring>

#include "api.h"
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

// What is thrown out of work, by a host function for instance, becomes the context's error.
CUresult result_of(const std::function<CUresult()>& run) noexcept {
  try {
    return run();
  } catch (const Failure& failure) {
    return report_failure("work of a stream", failure.code(), failure.what());
  } catch (const std::bad_alloc&) {
    return report_failure("work of a stream", CUDA_ERROR_OUT_OF_MEMORY, "host memory is exhausted");
  } catch (const std::exception& unexpected) {
    return report_failure("work of a stream", CUDA_ERROR_UNKNOWN, unexpected.what());
  } catch (...) {
    return report_failure("work of a stream", CUDA_ERROR_UNKNOWN, "an exception of unknown type");
  }
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

// The caller holds queue_mutex_.
void Stream::start_serving() {
  if (served_) return;
  std::thread([self = shared_from_this()] { self->serve(); }).detach();
  served_ = true;
}

// A program that submits faster than its streams work must not fill the memory with what it submitted.
void Stream::wait_for_room() {
  constexpr size_t most = 1024;
  std::unique_lock lock(queue_mutex_);
  queue_has_room_.wait(lock, [&] { return queue_.size() < most || retired_; });
}

Point Stream::submit(std::function<CUresult()> run, std::vector<Point> after, bool even_failed) {
  Point point{timeline_, 0};
  if (asynchronous()) wait_for_room();
  {
    std::lock_guard submission(context->submission);
    if (context->closing) fail(CUDA_ERROR_CONTEXT_IS_DESTROYED, "the context is being destroyed");
    Work work;
    work.after = implied_dependencies();
    for (Point& each : after)
      if (!each.reached()) work.after.push_back(std::move(each));
    work.run = std::move(run);
    work.even_failed = even_failed;
    std::lock_guard queue(queue_mutex_);
    if (retired_) fail(CUDA_ERROR_INVALID_HANDLE, "the stream is destroyed");
    // Whatever can fail comes before the ticket, which everybody waits for.
    if (asynchronous()) start_serving();
    queue_.push_back(std::move(work));
    point.ticket = queue_.back().ticket = timeline_->submit();
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
  queue_has_room_.notify_all();
}

// Completes the ticket come what may: others wait for it.
void Stream::run(Work& work) {
  for (const Point& point : work.after) point.wait();
  if (work.even_failed || context->sticky() == CUDA_SUCCESS) {
    const CUresult result = result_of(work.run);
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
    queue_has_room_.notify_one();
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

namespace {

// Streams of threads that ended go like destroyed ones: what they have not done is still waited for. The
// caller holds context.submission.
void prune_per_thread(Context& context) {
  auto& all = context.per_thread;
  for (auto each = all.begin(); each != all.end();) {
    const StreamPointer stream = each->second;
    if (!stream->owner.expired()) {
      ++each;
      continue;
    }
    stream->retire();
    if (!stream->timeline_done()) context.streams.push_back(stream);
    each = all.erase(each);
  }
}

StreamPointer stream_of_this_thread(const ContextPointer& context) {
  static thread_local const auto alive = std::make_shared<char>();
  std::lock_guard lock(context->submission);
  if (context->closing) fail(CUDA_ERROR_CONTEXT_IS_DESTROYED, "the context is being destroyed");
  const auto id = std::this_thread::get_id();
  // An ended thread's id may be given to another thread.
  const auto found = context->per_thread.find(id);
  if (found != context->per_thread.end() && !found->second->owner.expired()) return found->second;
  prune_per_thread(*context);
  auto stream = std::make_shared<Stream>(context, StreamKind::per_thread, 0);
  stream->owner = alive;
  context->per_thread[id] = stream;
  return stream;
}

}  // namespace

StreamPointer stream_of(CUstream handle) {
  const ContextPointer current = current_context();
  if (handle == nullptr || handle == CU_STREAM_LEGACY) return current->legacy_stream();
  if (handle == CU_STREAM_PER_THREAD) return stream_of_this_thread(current);
  StreamPointer stream = created_streams().get(handle);
  stream->context->check();
  return stream;
}

StreamPointer create_stream(const ContextPointer& context, unsigned flags, int priority) {
  const StreamKind kind = flags & CU_STREAM_NON_BLOCKING ? StreamKind::non_blocking : StreamKind::blocking;
  auto stream = std::make_shared<Stream>(context, kind, priority);
  std::lock_guard lock(context->submission);
  if (context->closing) fail(CUDA_ERROR_CONTEXT_IS_DESTROYED, "the context is being destroyed");
  stream->handle = created_streams().add(stream);
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
