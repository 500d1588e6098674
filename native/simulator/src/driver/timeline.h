// The order of a stream's work: tickets are handed out at submission and completed in the same order.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>

namespace simulator::driver {

class Timeline {
 public:
  uint64_t submit() { return submitted_.fetch_add(1) + 1; }
  uint64_t submitted() const { return submitted_.load(); }
  bool reached(uint64_t ticket) const { return completed_.load(std::memory_order_acquire) >= ticket; }

  void complete(uint64_t ticket) {
    std::lock_guard lock(mutex_);
    completed_.store(ticket, std::memory_order_release);
    changed_.notify_all();
  }

  void wait(uint64_t ticket) {
    if (reached(ticket)) return;
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return reached(ticket); });
  }

 private:
  std::atomic<uint64_t> submitted_{0}, completed_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
};

// A place on a timeline; what events remember and what work waits for. Points only ever lie before the work
// that waits for them was submitted, so waiting cannot close a circle.
struct Point {
  std::shared_ptr<Timeline> timeline;
  uint64_t ticket = 0;

  bool reached() const { return !timeline || timeline->reached(ticket); }
  void wait() const {
    if (timeline) timeline->wait(ticket);
  }
};

}  // namespace simulator::driver
