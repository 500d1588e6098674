#include "engine.h"

namespace simulator {

LoadResult load_module(const DeviceModel&, std::string_view) {
  LoadResult result;
  result.status = LoadStatus::invalid_image;
  result.log = "not implemented yet";
  return result;
}

}  // namespace simulator
