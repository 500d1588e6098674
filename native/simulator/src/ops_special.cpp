// Special registers: %tid, %laneid, %clock64 and the like.
#include <chrono>

#include "decode.h"
#include "lanes.h"

namespace simulator {

namespace {

enum class Special : uint8_t {
  tid_x,
  tid_y,
  tid_z,
  ntid_x,
  ntid_y,
  ntid_z,
  ctaid_x,
  ctaid_y,
  ctaid_z,
  nctaid_x,
  nctaid_y,
  nctaid_z,
  laneid,
  warpid,
  nwarpid,
  smid,
  nsmid,
  gridid,
  lanemask_eq,
  lanemask_le,
  lanemask_lt,
  lanemask_ge,
  lanemask_gt,
  clock,
  clock_hi,
  clock64,
  globaltimer,
  globaltimer_lo,
  globaltimer_hi,
  dynamic_smem_size,
  total_smem_size,
  zero,
  one,
};

struct SpecialName {
  const char* name;
  Special which;
};
constexpr SpecialName special_names[] = {
    {"%tid.x", Special::tid_x},
    {"%tid.y", Special::tid_y},
    {"%tid.z", Special::tid_z},
    {"%tid.w", Special::zero},
    {"%ntid.x", Special::ntid_x},
    {"%ntid.y", Special::ntid_y},
    {"%ntid.z", Special::ntid_z},
    {"%ntid.w", Special::one},
    {"%ctaid.x", Special::ctaid_x},
    {"%ctaid.y", Special::ctaid_y},
    {"%ctaid.z", Special::ctaid_z},
    {"%nctaid.x", Special::nctaid_x},
    {"%nctaid.y", Special::nctaid_y},
    {"%nctaid.z", Special::nctaid_z},
    {"%laneid", Special::laneid},
    {"%warpid", Special::warpid},
    {"%nwarpid", Special::nwarpid},
    {"%smid", Special::smid},
    {"%nsmid", Special::nsmid},
    {"%gridid", Special::gridid},
    {"%lanemask_eq", Special::lanemask_eq},
    {"%lanemask_le", Special::lanemask_le},
    {"%lanemask_lt", Special::lanemask_lt},
    {"%lanemask_ge", Special::lanemask_ge},
    {"%lanemask_gt", Special::lanemask_gt},
    {"%clock", Special::clock},
    {"%clock_hi", Special::clock_hi},
    {"%clock64", Special::clock64},
    {"%globaltimer", Special::globaltimer},
    {"%globaltimer_lo", Special::globaltimer_lo},
    {"%globaltimer_hi", Special::globaltimer_hi},
    {"%dynamic_smem_size", Special::dynamic_smem_size},
    {"%total_smem_size", Special::total_smem_size},
    {"%aggr_smem_size", Special::total_smem_size},
    // Every cluster is one block.
    {"%clusterid.x", Special::ctaid_x},
    {"%clusterid.y", Special::ctaid_y},
    {"%clusterid.z", Special::ctaid_z},
    {"%nclusterid.x", Special::nctaid_x},
    {"%nclusterid.y", Special::nctaid_y},
    {"%nclusterid.z", Special::nctaid_z},
    {"%cluster_ctaid.x", Special::zero},
    {"%cluster_ctaid.y", Special::zero},
    {"%cluster_ctaid.z", Special::zero},
    {"%cluster_nctaid.x", Special::one},
    {"%cluster_nctaid.y", Special::one},
    {"%cluster_nctaid.z", Special::one},
    {"%cluster_ctarank", Special::zero},
    {"%cluster_nctarank", Special::one},
    {"%current_graph_exec", Special::zero},
};

uint64_t time_now(bool wall) {
  std::chrono::nanoseconds since_epoch =
      wall ? std::chrono::system_clock::now().time_since_epoch()
           : std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch());
  return static_cast<uint64_t>(since_epoch.count());
}

template <Special which, class T>
const Op* read_special(Warp& w, const Op* op, uint32_t exec) {
  T* d = destination<T>(w, op->d);
  const Block& block = *w.block;
  const LaunchContext& launch = *block.launch;
  const Launch& l = *launch.launch;
  constexpr bool is_tid = which == Special::tid_x || which == Special::tid_y || which == Special::tid_z;
  if constexpr (is_tid) {
    uint32_t first = w.index * 32;
    if (l.block.y * l.block.z == 1) {
      each_lane(w, d, exec,
                [=](int i) { return static_cast<T>(which == Special::tid_x ? first + static_cast<uint32_t>(i) : 0); });
    } else {
      each_lane(w, d, exec, [&](int i) {
        uint32_t linear = first + static_cast<uint32_t>(i);
        return static_cast<T>(which == Special::tid_x   ? linear % l.block.x
                              : which == Special::tid_y ? linear / l.block.x % l.block.y
                                                        : linear / l.block.x / l.block.y);
      });
    }
    return op + 1;
  }
  auto lane_value = [](int i) -> uint64_t {
    uint32_t bit = 1u << i;
    switch (which) {
      case Special::laneid:
        return static_cast<uint32_t>(i);
      case Special::lanemask_eq:
        return bit;
      case Special::lanemask_lt:
        return bit - 1;
      case Special::lanemask_le:
        return bit | (bit - 1);
      case Special::lanemask_ge:
        return ~(bit - 1);
      case Special::lanemask_gt:
        return ~(bit | (bit - 1));
      default:
        return 0;
    }
  };
  constexpr bool by_lane = which == Special::laneid || which == Special::lanemask_eq || which == Special::lanemask_lt ||
                           which == Special::lanemask_le || which == Special::lanemask_ge ||
                           which == Special::lanemask_gt;
  if constexpr (by_lane) {
    each_lane(w, d, exec, [=](int i) { return static_cast<T>(lane_value(i)); });
    return op + 1;
  }
  uint64_t value = 0;
  switch (which) {
    case Special::ntid_x:
      value = l.block.x;
      break;
    case Special::ntid_y:
      value = l.block.y;
      break;
    case Special::ntid_z:
      value = l.block.z;
      break;
    case Special::ctaid_x:
      value = block.index.x;
      break;
    case Special::ctaid_y:
      value = block.index.y;
      break;
    case Special::ctaid_z:
      value = block.index.z;
      break;
    case Special::nctaid_x:
      value = l.grid.x;
      break;
    case Special::nctaid_y:
      value = l.grid.y;
      break;
    case Special::nctaid_z:
      value = l.grid.z;
      break;
    case Special::warpid:
      value = w.index;
      break;
    case Special::nwarpid:
      value = static_cast<uint64_t>(launch.device->max_threads_per_multiprocessor) / 32;
      break;
    case Special::smid:
      value = block.linear % static_cast<uint64_t>(launch.device->multiprocessors);
      break;
    case Special::nsmid:
      value = static_cast<uint64_t>(launch.device->multiprocessors);
      break;
    case Special::gridid:
      value = launch.grid_id;
      break;
    case Special::clock:
    case Special::clock64:
      value = time_now(false);
      w.polled = true;
      break;
    case Special::clock_hi:
      value = time_now(false) >> 32;
      break;
    case Special::globaltimer:
    case Special::globaltimer_lo:
      value = time_now(true);
      w.polled = true;
      break;
    case Special::globaltimer_hi:
      value = time_now(true) >> 32;
      break;
    case Special::dynamic_smem_size:
      value = l.dynamic_shared_bytes;
      break;
    case Special::total_smem_size:
      value = block.shared_bytes - shared_reserved;
      break;
    case Special::one:
      value = 1;
      break;
    default:
      break;
  }
  each_lane(w, d, exec, [=](int) { return static_cast<T>(value); });
  return op + 1;
}

template <class T, size_t... N>
OpFunction special_body(Special which, std::index_sequence<N...>) {
  OpFunction result = nullptr;
  ((result = static_cast<size_t>(which) == N ? &read_special<static_cast<Special>(N), T> : result), ...);
  return result;
}

}  // namespace

OpFunction special_register_body(std::string_view name, unsigned bytes) {
  constexpr auto all = std::make_index_sequence<static_cast<size_t>(Special::one) + 1>{};
  for (const SpecialName& s : special_names) {
    if (name != s.name) continue;
    switch (bytes) {
      case 2:
        return special_body<uint16_t>(s.which, all);
      case 4:
        return special_body<uint32_t>(s.which, all);
      case 8:
        return special_body<uint64_t>(s.which, all);
      default:
        return nullptr;
    }
  }
  return nullptr;
}

}  // namespace simulator
