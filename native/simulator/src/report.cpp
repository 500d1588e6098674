#include "report.h"

#include <cstdarg>
#include <cstdio>

#include "module.h"

namespace simulator {

std::string format(const char* pattern, ...) {
  va_list arguments;
  va_start(arguments, pattern);
  va_list again;
  va_copy(again, arguments);
  int length = vsnprintf(nullptr, 0, pattern, arguments);
  va_end(arguments);
  std::string text(static_cast<size_t>(length), '\0');
  vsnprintf(text.data(), text.size() + 1, pattern, again);
  va_end(again);
  return text;
}

namespace {

std::string coordinates(const Dim3& d) { return format("(%u,%u,%u)", d.x, d.y, d.z); }

Dim3 thread_of(const Launch& launch, uint32_t linear) {
  return {linear % launch.block.x, linear / launch.block.x % launch.block.y, linear / launch.block.x / launch.block.y};
}

std::string lanes_text(uint32_t mask) {
  std::string text;
  for (int i = 0; i < 32;) {
    if (!(mask >> i & 1)) {
      ++i;
      continue;
    }
    int j = i;
    while (j + 1 < 32 && (mask >> (j + 1) & 1)) ++j;
    if (!text.empty()) text += ",";
    text += i == j ? format("%d", i) : format("%d-%d", i, j);
    i = j + 1;
  }
  return text;
}

const char* fault_name(Fault fault) {
  switch (fault) {
    case Fault::none:
      return "none";
    case Fault::illegal_address:
      return "illegal address";
    case Fault::misaligned_address:
      return "misaligned address";
    case Fault::invalid_address_space:
      return "invalid address space";
    case Fault::illegal_instruction:
      return "illegal instruction";
    case Fault::launch_timeout:
      return "launch timeout";
    case Fault::launch_failed:
      return "launch failed";
    case Fault::assert_failed:
      return "assertion failed";
    case Fault::trap:
      return "trap";
  }
  return "";
}

// "kernel.cu:12" where the PTX says so, else "".
std::string source_location(const LaunchContext& launch, const OpInfo& info) {
  if (!info.source_line) return {};
  auto file = launch.module->syntax().files.find(info.source_file);
  return format("%s:%d", file == launch.module->syntax().files.end() ? "?" : file->second.c_str(), info.source_line);
}

std::string location(const LaunchContext& launch, const Op* op) {
  const OpInfo& info = launch.program->info(op);
  std::string text = format("    at PTX line %d: %s\n", info.line, launch.module->line_text(info.line).c_str());
  std::string source = source_location(launch, info);
  return source.empty() ? text : text + "    at " + source + "\n";
}

}  // namespace

std::string describe_op(const LaunchContext& launch, const Op* op) {
  const OpInfo& info = launch.program->info(op);
  std::string text = launch.module->line_text(info.line) + format(" (PTX line %d", info.line);
  std::string source = source_location(launch, info);
  return text + (source.empty() ? ")" : ", " + source + ")");
}

std::string describe_line(const LaunchContext& launch, int ptx_line) {
  for (size_t i = 0; i < launch.program->infos.size(); ++i)
    if (launch.program->infos[i].line == ptx_line) return describe_op(launch, &launch.program->ops[i]);
  return format("PTX line %d", ptx_line);
}

std::string report_fault(const LaunchContext& launch, const Block& block, const LaunchFault& fault) {
  std::string text = format("simulator: %s in kernel %s: %s\n", fault_name(fault.fault),
                            launch.program->entry->name.c_str(), fault.message.c_str());
  text += "    block " + coordinates(block.index);
  const Warp* warp = nullptr;
  for (const Warp& w : block.warps)
    if (fault.op && w.worker && &w == block.running) warp = &w;
  if (warp) {
    if (fault.lane >= 0) {
      text += ", thread " +
              coordinates(thread_of(*launch.launch, warp->index * 32 + static_cast<uint32_t>(fault.lane))) +
              format(" (warp %u, lane %d)", warp->index, fault.lane);
    } else {
      text += format(", warp %u", warp->index) + ", lanes " + lanes_text(warp->mask);
    }
  }
  text += format(" of grid %s, blocks of %s\n", coordinates(launch.launch->grid).c_str(),
                 coordinates(launch.launch->block).c_str());
  if (fault.op) text += location(launch, fault.op);
  return text;
}

std::string Block::describe_waits() const {
  std::string text;
  int listed = 0;
  for (const Warp& w : warps)
    for (const Group& g : w.groups) {
      if (++listed > 16) continue;
      text += format("    warp %u lanes %s ", w.index, lanes_text(g.mask).c_str());
      if (g.state == GroupState::at_barrier) {
        const Barrier& b = barriers[g.barrier];
        text += format("wait at barrier %u, where %u of %u threads have arrived: ", g.barrier, b.arrived,
                       b.expected ? b.expected : live_threads);
      } else {
        text += g.state == GroupState::at_sync     ? "wait for other lanes at: "
                : g.state == GroupState::preempted ? "go round a loop at: "
                                                   : "poll memory at: ";
      }
      text += describe_op(*launch, g.pc) + "\n";
    }
  if (listed > 16) text += format("    and %d more groups of lanes\n", listed - 16);
  uint32_t exited = launch->threads - live_threads;
  if (exited) text += format("    %u threads have exited\n", exited);
  text.pop_back();
  return text;
}

}  // namespace simulator
