// cuDevice*: enumeration and properties.
#include <cstdio>
#include <cstring>

#include "api.h"
#include "card.h"

using namespace simulator::driver;

namespace {

void put_text(char* out, int capacity, const std::string& text) {
  require_pointer(out, "the output text");
  if (capacity <= 0) fail(CUDA_ERROR_INVALID_VALUE, "len = %d", capacity);
  std::snprintf(out, static_cast<size_t>(capacity), "%s", text.c_str());
}

std::string pci_bus_id(CUdevice device) {
  char text[32];
  std::snprintf(text, sizeof text, "0000:%02x:00.0", static_cast<unsigned>(device + 1) & 0xffu);
  return text;
}

}  // namespace

SIMULATOR_API cuDeviceGet(CUdevice* device, int ordinal) {
  return api("cuDeviceGet", [&] {
    require_pointer(device, "device");
    card(ordinal);
    *device = ordinal;
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuDeviceGetCount(int* count) {
  return api("cuDeviceGetCount", [&] {
    require_pointer(count, "count");
    *count = static_cast<int>(cards().size());
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuDeviceGetName(char* name, int len, CUdevice dev) {
  return api("cuDeviceGetName", [&] {
    put_text(name, len, card(dev).model.name);
    return CUDA_SUCCESS;
  });
}

// The same in every run, different for every ordinal and card.
SIMULATOR_API cuDeviceGetUuid_v2(CUuuid* uuid, CUdevice dev) {
  return api("cuDeviceGetUuid_v2", [&] {
    require_pointer(uuid, "uuid");
    const simulator::DeviceModel& model = card(dev).model;
    std::memcpy(uuid->bytes, "kernels-sim-", 12);
    uuid->bytes[12] = static_cast<char>(model.compute_major);
    uuid->bytes[13] = static_cast<char>(model.compute_minor);
    uuid->bytes[14] = static_cast<char>(dev >> 8);
    uuid->bytes[15] = static_cast<char>(dev);
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuDeviceTotalMem_v2(size_t* bytes, CUdevice dev) {
  return api("cuDeviceTotalMem_v2", [&] {
    require_pointer(bytes, "bytes");
    *bytes = card(dev).model.memory_bytes;
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuDeviceGetAttribute(int* pi, CUdevice_attribute attrib, CUdevice dev) {
  return api("cuDeviceGetAttribute", [&] {
    require_pointer(pi, "pi");
    *pi = device_attribute(card(dev), attrib);
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuDeviceGetPCIBusId(char* pciBusId, int len, CUdevice dev) {
  return api("cuDeviceGetPCIBusId", [&] {
    card(dev);
    put_text(pciBusId, len, pci_bus_id(dev));
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuDeviceGetByPCIBusId(CUdevice* dev, const char* pciBusId) {
  return api("cuDeviceGetByPCIBusId", [&] {
    require_pointer(dev, "dev");
    require_pointer(pciBusId, "pciBusId");
    for (const Card& each : cards())
      if (pci_bus_id(each.model.ordinal) == pciBusId) {
        *dev = each.model.ordinal;
        return CUDA_SUCCESS;
      }
    fail(CUDA_ERROR_INVALID_DEVICE, "no device has the PCI bus id %s", pciBusId);
  });
}

SIMULATOR_API cuDeviceComputeCapability(int* major, int* minor, CUdevice dev) {
  return api("cuDeviceComputeCapability", [&] {
    require_pointer(major, "major");
    require_pointer(minor, "minor");
    *major = card(dev).model.compute_major;
    *minor = card(dev).model.compute_minor;
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuDeviceGetProperties(CUdevprop* prop, CUdevice dev) {
  return api("cuDeviceGetProperties", [&] {
    require_pointer(prop, "prop");
    const Card& of = card(dev);
    *prop = {1024,
             {1024, 1024, 64},
             {2147483647, 65535, 65535},
             static_cast<int>(of.model.shared_per_block),
             65536,
             32,
             2147483647,
             65536,
             of.clock_khz,
             512};
    return CUDA_SUCCESS;
  });
}

// Simulated devices share one address space, but a peer is reached by copies only.
SIMULATOR_API cuDeviceCanAccessPeer(int* canAccessPeer, CUdevice dev, CUdevice peerDev) {
  return api("cuDeviceCanAccessPeer", [&] {
    require_pointer(canAccessPeer, "canAccessPeer");
    card(dev);
    card(peerDev);
    *canAccessPeer = 0;
    return CUDA_SUCCESS;
  });
}
