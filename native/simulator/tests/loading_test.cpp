// Loading PTX: what is refused, with which code and what the log says.
#include "support/device_test.h"

namespace simulator::tests {
namespace {

class Loading : public DeviceTest {
 protected:
  struct Attempt {
    CUresult result;
    std::string error_log, info_log;
  };
  Attempt attempt(const std::string& image, size_t capacity = 4096) {
    std::vector<char> error(capacity, '#'), info(4096, '#');
    CUjit_option options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES, CU_JIT_INFO_LOG_BUFFER,
                              CU_JIT_INFO_LOG_BUFFER_SIZE_BYTES};
    void* values[] = {error.data(), reinterpret_cast<void*>(error.size()), info.data(),
                      reinterpret_cast<void*>(info.size())};
    CUmodule module = nullptr;
    const CUresult result = driver().cuModuleLoadDataEx(&module, image.c_str(), 4, options, values);
    if (result == CUDA_SUCCESS) EXPECT_CU(CUDA_SUCCESS, cuModuleUnload(module));
    EXPECT_LE(reinterpret_cast<size_t>(values[1]), capacity);
    return {result, std::string(error.data(), strnlen(error.data(), error.size())),
            std::string(info.data(), strnlen(info.data(), info.size()))};
  }
  static std::string ptx(const std::string& body,
                         const std::string& head = ".version 8.4\n.target sm_80\n.address_size 64\n") {
    return head +
           ".visible .entry k(.param .u64 p)\n{\n.reg .b32 %r<9>;\n.reg .b64 %rd<9>;\n.reg .f32 %f<9>;\n.reg "
           ".pred %p<3>;\n" +
           body + "\nret;\n}\n";
  }
};

TEST_F(Loading, AcceptsWellFormedPtx) { EXPECT_EQ(attempt(ptx("ld.param.u64 %rd1, [p];")).result, CUDA_SUCCESS); }

TEST_F(Loading, RefusesAnUnknownInstructionWithLineAndText) {
  const Attempt refused = attempt(ptx("frobnicate.u32 %r1, %r2;"));
  EXPECT_EQ(refused.result, CUDA_ERROR_INVALID_PTX);
  EXPECT_NE(refused.error_log.find("frobnicate"), std::string::npos) << refused.error_log;
  EXPECT_NE(refused.error_log.find("10"), std::string::npos) << "the line is missing: " << refused.error_log;
}

TEST_F(Loading, CutsTheLogToItsBuffer) {
  const Attempt refused = attempt(ptx("frobnicate.u32 %r1, %r2;"), 16);
  EXPECT_EQ(refused.result, CUDA_ERROR_INVALID_PTX);
  EXPECT_EQ(refused.error_log.size(), 15u);
}

TEST_F(Loading, RefusesOperandsThatDoNotFit) {
  if (driver().ours()) {  // ptxas: "Arguments mismatch for instruction"
    EXPECT_EQ(attempt(ptx("add.u32 %r1, %rd2, %r3;")).result, CUDA_ERROR_INVALID_PTX);
  }
  EXPECT_EQ(attempt(ptx("add.u32 %r1, %undeclared, %r3;")).result, CUDA_ERROR_INVALID_PTX);
  EXPECT_EQ(attempt(ptx("bra nowhere;")).result, CUDA_ERROR_INVALID_PTX);
  EXPECT_EQ(attempt(ptx("ld.param.u64 %rd1, [nothing];")).result, CUDA_ERROR_INVALID_PTX);
}

TEST_F(Loading, RefusesWhatIsNoImage) {
  for (const char* image : {"", "this is not PTX"}) {
    const CUresult result = attempt(image).result;
    EXPECT_TRUE(result == CUDA_ERROR_INVALID_IMAGE || result == CUDA_ERROR_INVALID_PTX) << describe(result);
  }
  CUmodule module = nullptr;
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuModuleLoadData(&module, nullptr));
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuModuleLoadData(nullptr, ""));
}

TEST_F(Loading, AnswersThatThereIsNoBinaryForCubins) {
  const unsigned char elf[64] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
  const unsigned char fat_binary[64] = {0x50, 0xed, 0x55, 0xba, 1, 0, 16, 0};
  CUmodule module = nullptr;
  EXPECT_CU(CUDA_ERROR_NO_BINARY_FOR_GPU, cuModuleLoadData(&module, elf));
  EXPECT_CU(CUDA_ERROR_NO_BINARY_FOR_GPU, cuModuleLoadData(&module, fat_binary));
}

TEST_F(Loading, RefusesPtxVersionsItDoesNotKnow) {
  EXPECT_EQ(attempt(ptx("", ".version 99.0\n.target sm_80\n.address_size 64\n")).result,
            CUDA_ERROR_UNSUPPORTED_PTX_VERSION);
}

TEST_F(Loading, DoesNotFindKernelsThatAreNotThere) {
  CUmodule module = nullptr;
  ASSERT_CU(cuModuleLoadData(&module, ptx("").c_str()));
  CUfunction function = nullptr;
  EXPECT_CU(CUDA_ERROR_NOT_FOUND, cuModuleGetFunction(&function, module, "other"));
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuModuleGetFunction(&function, module, nullptr));
  EXPECT_CU(CUDA_SUCCESS, cuModuleGetFunction(&function, module, "k"));
  EXPECT_CU(CUDA_SUCCESS, cuModuleUnload(module));
}

// The suite "Refusal": what an architecture does not have is refused when it is loaded, as ptxas would refuse
// it.
class Refusal : public Loading {};

TEST_F(Refusal, OfPtxForANewerDevice) {
  const std::string head = ".version 8.4\n.target sm_90\n.address_size 64\n";
  EXPECT_EQ(attempt(ptx("", head)).result, capability() >= 90 ? CUDA_SUCCESS : CUDA_ERROR_NO_BINARY_FOR_GPU);
}

TEST_F(Refusal, OfInstructionsAboveTheModulesTarget) {
  if (!driver().ours()) GTEST_SKIP() << "only our simulator holds instructions against .target";
  const auto with_target = [](const char* target, const char* body) {
    return ptx(body, std::string(".version 8.4\n.target ") + target + "\n.address_size 64\n");
  };
  struct Case {
    const char* body;
    int needed;
  };
  // What ptxas 12.4 says of each.
  const Case cases[] = {
      {"cvt.rn.satfinite.e4m3x2.f32 %rs1, %f1, %f2;", 89},
      {"cvt.rn.bf16.f32 %rs1, %f1;", 80},
      {"add.bf16 %rs1, %rs1, %rs2;", 90},
      {"min.f16 %rs1, %rs1, %rs2;", 80},
      {"min.NaN.f32 %f1, %f2, %f3;", 80},
      {"cp.async.commit_group;", 80},
      {"redux.sync.add.s32 %r1, %r2, 0xffffffff;", 80},
      {"elect.sync %r1|%p1, 0xffffffff;", 90},
      {"stmatrix.sync.aligned.m8n8.x1.shared.b16 [%r1], {%r2};", 90},
      {"barrier.cluster.arrive;", 90},
      {"atom.global.add.noftz.bf16 %rs1, [%rd1], %rs2;", 90},
      {"fence.proxy.async;", 90},
      {"setmaxnreg.inc.sync.aligned.u32 96;", 900},
  };
  for (const Case& each : cases) {
    const std::string body = std::string(".reg .b16 %rs<4>;\n") + each.body;
    for (const auto& [target, level] : {std::pair{"sm_75", 75}, std::pair{"sm_80", 80}, std::pair{"sm_89", 89}}) {
      if (level > capability() || level >= each.needed) continue;
      const Attempt refused = attempt(with_target(target, body.c_str()));
      EXPECT_EQ(refused.result, CUDA_ERROR_INVALID_PTX) << each.body << " for " << target;
      EXPECT_NE(refused.error_log.find(std::string(each.body).substr(0, 5)), std::string::npos) << refused.error_log;
    }
  }
}

TEST_F(Refusal, OfInstructionsAboveTheModulesVersion) {
  if (!driver().ours()) GTEST_SKIP() << "only our simulator holds instructions against .version";
  EXPECT_EQ(attempt(ptx("cp.async.commit_group;", ".version 6.5\n.target sm_75\n.address_size 64\n")).result,
            CUDA_ERROR_INVALID_PTX);
  EXPECT_EQ(attempt(ptx("redux.sync.add.s32 %r1, %r2, 0xffffffff;", ".version 6.5\n.target sm_75\n.address_size 64\n"))
                .result,
            CUDA_ERROR_INVALID_PTX);
}

}  // namespace
}  // namespace simulator::tests
