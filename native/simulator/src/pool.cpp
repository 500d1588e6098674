#include "pool.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

namespace simulator {

namespace {

struct Job {
  const std::function<void(unsigned)>* work;
  unsigned index;
  unsigned* running;  // how many of the same call have started and not ended
};

struct Pool {
  std::mutex mutex;
  std::condition_variable wake, done;
  std::deque<Job> jobs;
  unsigned threads = 0, idle = 0;

  void loop() {
    std::unique_lock lock(mutex);
    for (;;) {
      ++idle;
      wake.wait(lock, [this] { return !jobs.empty(); });
      --idle;
      Job job = jobs.front();
      jobs.pop_front();
      ++*job.running;
      lock.unlock();
      (*job.work)(job.index);
      lock.lock();
      if (--*job.running == 0) done.notify_all();
    }
  }
};

Pool& pool() {
  static Pool* instance = new Pool;  // its threads live as long as the process
  return *instance;
}

}  // namespace

void run_on_pool(unsigned count, const std::function<void(unsigned)>& work) {
  if (count <= 1) return work(0);
  Pool& p = pool();
  unsigned running = 0;
  {
    std::lock_guard lock(p.mutex);
    try {
      while (p.threads < count - 1) {
        std::thread([&p] { p.loop(); }).detach();
        ++p.threads;
      }
    } catch (const std::exception&) {
      // The host gives no more threads: those there are do the work.
    }
    try {
      for (unsigned i = 1; i <= std::min(count - 1, p.threads); ++i) p.jobs.push_back({&work, i, &running});
    } catch (const std::exception&) {
      // No memory: fewer of them then.
    }
  }
  p.wake.notify_all();
  work(0);
  std::unique_lock lock(p.mutex);
  // What no thread was free for is not needed any more.
  for (auto it = p.jobs.begin(); it != p.jobs.end();) it = it->running == &running ? p.jobs.erase(it) : it + 1;
  p.done.wait(lock, [&] { return running == 0; });
}

}  // namespace simulator
