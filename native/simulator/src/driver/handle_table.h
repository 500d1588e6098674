// Opaque handles to live objects. A handle value is never used twice, so that a destroyed handle is always
// found out, and each kind has its own range, so that an event passed as a stream is found out too.
#pragma once

#include <memory>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>
#include <unordered_set>

#include "failure.h"

namespace simulator::driver {

template <class T, class Handle>
class HandleTable {
 public:
  // `kind` is what messages call the object; `range` is its number among the kinds.
  HandleTable(const char* kind, uint64_t range) : kind_(kind), next_((range << 40) + 16) {}

  Handle add(std::shared_ptr<T> object) {
    std::unique_lock lock(mutex_);
    const uint64_t value = next_;
    next_ += 16;
    live_.emplace(value, std::move(object));
    return reinterpret_cast<Handle>(value);
  }

  // Throws INVALID_HANDLE, or CONTEXT_IS_DESTROYED when the object went with its context.
  std::shared_ptr<T> get(Handle handle) const {
    std::shared_lock lock(mutex_);
    const auto found = live_.find(reinterpret_cast<uint64_t>(handle));
    if (found == live_.end()) refuse(handle);
    return found->second;
  }

  std::shared_ptr<T> find(Handle handle) const {
    std::shared_lock lock(mutex_);
    const auto found = live_.find(reinterpret_cast<uint64_t>(handle));
    return found == live_.end() ? nullptr : found->second;
  }

  // Forgets the handle and returns what it stood for; a second call throws.
  std::shared_ptr<T> remove(Handle handle) {
    std::unique_lock lock(mutex_);
    const auto found = live_.find(reinterpret_cast<uint64_t>(handle));
    if (found == live_.end()) refuse(handle);
    std::shared_ptr<T> object = std::move(found->second);
    live_.erase(found);
    return object;
  }

  // Forgets every handle whose object belongs to a context that goes; later uses answer CONTEXT_IS_DESTROYED.
  template <class Belongs>
  void orphan(Belongs&& belongs) {
    std::unordered_map<uint64_t, std::shared_ptr<T>> gone;  // destroyed outside the lock
    std::unique_lock lock(mutex_);
    for (auto entry = live_.begin(); entry != live_.end();) {
      if (!belongs(*entry->second)) {
        ++entry;
        continue;
      }
      orphans_.insert(entry->first);
      gone.emplace(entry->first, std::move(entry->second));
      entry = live_.erase(entry);
    }
    lock.unlock();
  }

  size_t live() const {
    std::shared_lock lock(mutex_);
    return live_.size();
  }

  template <class Visit>
  void visit(Visit&& each) const {
    std::shared_lock lock(mutex_);
    for (const auto& entry : live_) each(*entry.second);
  }

 private:
  [[noreturn]] void refuse(Handle handle) const {
    const uint64_t value = reinterpret_cast<uint64_t>(handle);
    if (orphans_.count(value) != 0)
      fail(CUDA_ERROR_CONTEXT_IS_DESTROYED, "the context of %s 0x%llx is destroyed", kind_,
           static_cast<unsigned long long>(value));
    fail(CUDA_ERROR_INVALID_HANDLE, "0x%llx is no live %s", static_cast<unsigned long long>(value), kind_);
  }

  const char* kind_;
  mutable std::shared_mutex mutex_;
  uint64_t next_;
  std::unordered_map<uint64_t, std::shared_ptr<T>> live_;
  std::unordered_set<uint64_t> orphans_;
};

}  // namespace simulator::driver
