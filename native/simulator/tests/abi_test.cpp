// The ABI: enumerations against tests/data/cuda-abi.json, entry points by name and by cuGetProcAddress.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "support/driver.h"

namespace simulator::tests {
namespace {

std::string read(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(std::string(KERNELS_SOURCE_FOLDER) + "/" + path).rdbuf();
  return text.str();
}

using Enumerations = std::map<std::string, std::map<std::string, long long>>;

// "enum NAME : int { A = 1, ... };" of the header.
Enumerations from_header(const std::string& text) {
  Enumerations all;
  const std::regex enumeration(R"(enum (\w+) : int \{([^}]*)\})"), value(R"((\w+) = (\w+))");
  for (std::sregex_iterator e(text.begin(), text.end(), enumeration), end; e != end; ++e) {
    const std::string body = (*e)[2];
    for (std::sregex_iterator v(body.begin(), body.end(), value); v != end; ++v)
      all[(*e)[1]][(*v)[1]] = std::stoll((*v)[2], nullptr, 0);
  }
  return all;
}

// "NAME": { "A": 1, ... } of the json: enumerations are its only objects that hold nothing but numbers.
Enumerations from_json(const std::string& text) {
  Enumerations all;
  const std::regex enumeration(R"re("(\w+)": \{\s*((?:"\w+": -?\d+,?\s*)+)\})re"), value(R"re("(\w+)": (-?\d+))re");
  for (std::sregex_iterator e(text.begin(), text.end(), enumeration), end; e != end; ++e) {
    const std::string body = (*e)[2];
    for (std::sregex_iterator v(body.begin(), body.end(), value); v != end; ++v)
      all[(*e)[1]][(*v)[1]] = std::stoll((*v)[2]);
  }
  return all;
}

TEST(Abi, HasTheEnumerationsOfCuda124) {
  const Enumerations ours = from_header(read("native/simulator/src/driver/cuda_enums.h"));
  const Enumerations cuda = from_json(read("tests/data/cuda-abi.json"));
  ASSERT_GE(ours.size(), 30u);
  for (const auto& [name, values] : ours) {
    ASSERT_EQ(cuda.count(name), 1u) << name;
    EXPECT_EQ(values, cuda.at(name)) << name;
  }
}

TEST(Abi, HasTheStructuresOfCuda124) {
  // Sizes as the json has them: "NAME": { "align": .., "fields": {...}, "size": N }.
  const std::string json = read("tests/data/cuda-abi.json");
  struct Size {
    const char* name;
    size_t bytes;
  };
  const Size sizes[] = {{"CUDA_MEMCPY2D_v2", sizeof(CUDA_MEMCPY2D)},
                        {"CUDA_MEMCPY3D_v2", sizeof(CUDA_MEMCPY3D)},
                        {"CUDA_MEMSET_NODE_PARAMS_v1", sizeof(CUDA_MEMSET_NODE_PARAMS)},
                        {"CUDA_HOST_NODE_PARAMS_v1", sizeof(CUDA_HOST_NODE_PARAMS)},
                        {"CUDA_KERNEL_NODE_PARAMS_v1", sizeof(CUDA_KERNEL_NODE_PARAMS_v1)},
                        {"CUDA_KERNEL_NODE_PARAMS_v2", sizeof(CUDA_KERNEL_NODE_PARAMS)},
                        {"CUmemPoolProps_v1", sizeof(CUmemPoolProps)},
                        {"CUgraphExecUpdateResultInfo_v1", sizeof(CUgraphExecUpdateResultInfo)},
                        {"CUlaunchAttribute", sizeof(CUlaunchAttribute)},
                        {"CUlaunchConfig", sizeof(CUlaunchConfig)},
                        {"CUDA_GRAPH_INSTANTIATE_PARAMS", sizeof(CUDA_GRAPH_INSTANTIATE_PARAMS)},
                        {"CUdevprop_v1", sizeof(CUdevprop)},
                        {"CUuuid", sizeof(CUuuid)}};
  for (const Size& each : sizes) {
    const size_t at = json.find(std::string("\"") + each.name + "\": {\n\"align\"");
    ASSERT_NE(at, std::string::npos) << each.name;
    // The structure's own size is the first one that follows the closing of its fields.
    const std::regex own_size(R"re(\}\s*\},\s*"size": (\d+))re");
    std::smatch match;
    const std::string rest = json.substr(at, 4000);
    ASSERT_TRUE(std::regex_search(rest, match, own_size)) << each.name;
    EXPECT_EQ(std::stoull(match[1]), each.bytes) << each.name;
  }
}

TEST(Abi, ExportsOnlyNamesThatCudaHas) {
  if (!driver().ours()) GTEST_SKIP() << "about our simulator's own table";
  const std::string json = read("tests/data/cuda-abi.json");
  const size_t from = json.find("\"libcuda.so.1\": ["), to = json.find(']', from);
  ASSERT_NE(from, std::string::npos);
  std::set<std::string> cuda;
  const std::string list = json.substr(from, to - from);
  const std::regex name(R"re("(cu\w+)")re");
  for (std::sregex_iterator n(list.begin(), list.end(), name), end; n != end; ++n) cuda.insert((*n)[1]);

  // Each row of the table is an entry point of CUDA's, is exported, and is what cuGetProcAddress gives for
  // its name and version.
  const std::string table = read("native/simulator/src/driver/entry_points.inc");
  const std::regex row(R"re(\{"(\w+)", (\d+), "(\w+)"\})re");
  void* const library = dlopen(driver().path.c_str(), RTLD_NOW | RTLD_NOLOAD);
  size_t rows = 0;
  for (std::sregex_iterator r(table.begin(), table.end(), row), end; r != end; ++r, ++rows) {
    const std::string base = (*r)[1], symbol = (*r)[3];
    EXPECT_EQ(cuda.count(symbol), 1u) << symbol;
    void* const exported = dlsym(library, symbol.c_str());
    EXPECT_NE(exported, nullptr) << symbol;
    void* found = nullptr;
    CUdriverProcAddressQueryResult status = CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND;
    EXPECT_CU(CUDA_SUCCESS,
              cuGetProcAddress_v2(base.c_str(), &found, std::stoi((*r)[2]), CU_GET_PROC_ADDRESS_DEFAULT, &status));
    EXPECT_EQ(status, CU_GET_PROC_ADDRESS_SUCCESS) << base;
    EXPECT_EQ(found, exported) << base;
  }
  EXPECT_GT(rows, 200u);
}

TEST(Abi, FindsEntryPointsByVersion) {
  const auto find = [](const char* name, int version, CUdriverProcAddressQueryResult expected) {
    void* found = nullptr;
    CUdriverProcAddressQueryResult status = CU_GET_PROC_ADDRESS_SUCCESS;
    EXPECT_CU(CUDA_SUCCESS, cuGetProcAddress_v2(name, &found, version, CU_GET_PROC_ADDRESS_DEFAULT, &status));
    EXPECT_EQ(status, expected) << name << " " << version;
    return found;
  };
  EXPECT_EQ(find("cuMemAlloc", 12040, CU_GET_PROC_ADDRESS_SUCCESS), reinterpret_cast<void*>(driver().cuMemAlloc_v2));
  if (driver().ours()) {  // as the real driver 550 answers
    find("cuLaunchKernelEx", 11000, CU_GET_PROC_ADDRESS_VERSION_NOT_SUFFICIENT);
    find("cuMemAlloc_v2", 12040, CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND);
    find("cuNoSuchFunction", 12040, CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND);
  }
}

}  // namespace
}  // namespace simulator::tests
