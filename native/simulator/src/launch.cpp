// One launch: blocks to host threads, blocks that wait for others set aside, the first fault, statistics.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <deque>
#include <mutex>
#include <thread>

#include "environment.h"
#include "memory.h"
#include "module.h"
#include "pool.h"
#include "races.h"
#include "report.h"
#include "statistics.h"
#include "warp.h"

namespace simulator {

namespace {

using Clock = std::chrono::steady_clock;
constexpr double spin_limit_seconds = 10;  // all resident blocks only poll memory that nobody writes

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

class Execution {
 public:
  Execution(LaunchContext& context, uint64_t blocks, uint64_t resident)
      : context_(context), blocks_(blocks), resident_(resident) {}

  // Throws nothing: it runs on threads of the pool.
  void work() noexcept {
    try {
      run_and_count();
    } catch (const std::exception& e) {
      fail_beyond_the_kernel(e.what());
    } catch (...) {
      fail_beyond_the_kernel("an unknown exception");
    }
  }

  Fault fault = Fault::none;
  std::string report;
  std::unique_ptr<Counters> total;

 private:
  void run_and_count() {
    Worker worker;
    std::unique_ptr<Counters> counters;
    worker.launch = &context_;
    worker.random = context_.seed;
    if (context_.count) {
      counters = std::make_unique<Counters>(context_.program->ops.size());
      if (context_.count_lines) {
        counters->sectors.resize(context_.program->ops.size());
        counters->waves.resize(context_.program->ops.size());
      }
      worker.counters = counters.get();
    }
    run_blocks(worker);
    if (counters) {
      std::lock_guard lock(mutex_);
      if (!total)
        total = std::move(counters);
      else
        total->add(*counters);
    }
  }

  void run_blocks(Worker& worker) {
    std::deque<std::unique_ptr<Block>> aside;  // began, and wait for what other blocks write
    std::vector<std::unique_ptr<Block>> unused;
    Clock::time_point last_progress = Clock::now();
    uint64_t seen = context_.progress.load();
    while (!context_.stopped.load(std::memory_order_relaxed)) {
      std::unique_ptr<Block> block;
      uint64_t next = blocks_;
      if (aside.empty() || started_ - finished_ < resident_) next = take();
      if (next < blocks_) {
        if (unused.empty()) {
          block = std::make_unique<Block>();
        } else {
          block = std::move(unused.back());
          unused.pop_back();
        }
        block->start(context_, next);
      } else if (!aside.empty()) {
        block = std::move(aside.front());
        aside.pop_front();
      } else {
        return;
      }
      uint64_t writes = total_writes(*block);
      BlockState state = BlockState::finished;
      try {
        state = block->run(worker);
      } catch (const LaunchFault& f) {
        return fail(f.fault, report_fault(context_, *block, f));
      }
      bool moved = state != BlockState::spinning || total_writes(*block) != writes;
      if (moved) ++context_.progress;
      if (state == BlockState::finished) {
        ++finished_;
        unused.push_back(std::move(block));
      } else {
        aside.push_back(std::move(block));
        if (!moved && next == blocks_) std::this_thread::yield();
      }
      if (context_.progress != seen) {
        seen = context_.progress;
        last_progress = Clock::now();
      } else if (!aside.empty() && seconds_since(last_progress) > spin_limit_seconds) {
        return fail(Fault::launch_timeout, format("simulator: launch timeout in kernel %s: for %.0f s all "
                                                  "resident blocks only polled memory that "
                                                  "nobody writes\n",
                                                  context_.program->entry->name.c_str(), spin_limit_seconds) +
                                               aside.back()->describe_waits() + "\n");
      }
      if (Clock::now() > context_.deadline)
        return fail(Fault::launch_timeout,
                    format("simulator: launch timeout in kernel %s: ran longer than KERNELS_SIM_TIMEOUT=%g seconds\n",
                           context_.program->entry->name.c_str(), context_.timeout_seconds));
    }
  }

  uint64_t take() {
    if (next_.load(std::memory_order_relaxed) >= blocks_) return blocks_;
    uint64_t n = next_.fetch_add(1);
    if (n < blocks_) ++started_;
    return std::min(n, blocks_);
  }

  static uint64_t total_writes(const Block& block) {
    uint64_t total = 0;
    for (const Warp& w : block.warps) total += w.writes;
    return total;
  }

  void fail(Fault kind, std::string text) {
    std::lock_guard lock(mutex_);
    context_.stopped = true;
    if (fault != Fault::none) return;
    fault = kind;
    report = std::move(text);
  }

  // What the simulator itself ran into, memory of the host above all.
  void fail_beyond_the_kernel(const char* what) noexcept {
    context_.stopped = true;
    try {
      fail(Fault::launch_failed, format("simulator: launch failed in kernel %s: the simulator could not go on: %s\n",
                                        context_.program->entry->name.c_str(), what));
    } catch (...) {
      std::lock_guard lock(mutex_);
      if (fault == Fault::none) fault = Fault::launch_failed;  // without a report: there is no memory for one
    }
  }

  LaunchContext& context_;
  uint64_t blocks_, resident_;
  std::atomic<uint64_t> next_{0}, started_{0}, finished_{0};
  std::mutex mutex_;
};

uint64_t resident_blocks(const DeviceModel& device, const LaunchContext& context) {
  uint64_t per = static_cast<uint64_t>(device.max_blocks_per_multiprocessor);
  per = std::min<uint64_t>(per, static_cast<uint64_t>(device.max_threads_per_multiprocessor) / (context.warps * 32u));
  per = std::min<uint64_t>(per, device.shared_per_multiprocessor / context.shared_bytes);
  return std::max<uint64_t>(per, 1) * static_cast<uint64_t>(device.multiprocessors);
}

}  // namespace

Fault execute(const DeviceModel& device, const Launch& launch, std::string* report) {
  static std::atomic<uint64_t> grids{0};
  const Environment& env = environment();
  const LoadedFunction& function = static_cast<const LoadedFunction&>(*launch.function);
  LaunchContext context;
  context.device = &device;
  context.launch = &launch;
  context.program = &function.program();
  context.module = &static_cast<const LoadedModule&>(function.module());
  context.parameters = launch.parameters.data();
  context.parameter_bytes = static_cast<uint32_t>(launch.parameters.size());
  context.shared_bytes = context.program->static_shared + launch.dynamic_shared_bytes;
  context.threads = launch.block.x * launch.block.y * launch.block.z;
  context.warps = (context.threads + 31) / 32;
  context.grid_id = ++grids;
  context.seed = env.seed;
  if (env.timeout_seconds > 0) {
    context.timeout_seconds = env.timeout_seconds;
    context.deadline =
        Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(env.timeout_seconds));
  }
  context.count = !env.stats.empty();
  context.count_lines = context.count && env.stats_lines;
  context.shared_base = device_memory().shared_base();
  context.local_base = device_memory().local_base();
  context.param_base = device_memory().param_base();
  std::unique_ptr<TouchedSectors> touched;
  if (context.count) {
    touched = std::make_unique<TouchedSectors>();
    context.touched = touched.get();
  }
  std::unique_ptr<RaceDetector> races;
  if (env.race_check) {
    races = std::make_unique<RaceDetector>(context);
    context.races = races.get();
  }
  uint64_t blocks = uint64_t{launch.grid.x} * launch.grid.y * launch.grid.z;
  Execution execution(context, blocks, launch.cooperative ? blocks : resident_blocks(device, context));
  Clock::time_point start = Clock::now();
  unsigned threads = static_cast<unsigned>(std::min<uint64_t>(env.race_check ? 1 : env.threads, blocks));
  run_on_pool(threads, [&](unsigned) { execution.work(); });
  if (context.count && execution.total) write_statistics(context, *execution.total, seconds_since(start));
  if (races && races->any()) {
    execution.report = races->reports() + execution.report;
    if (execution.fault == Fault::none) execution.fault = Fault::launch_failed;
  }
  if (execution.fault != Fault::none) {
    std::fflush(stdout);
    std::fputs(execution.report.c_str(), stderr);
    if (report) *report = execution.report;
  }
  return execution.fault;
}

}  // namespace simulator
