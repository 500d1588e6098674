// One kernel and the functions it can reach to a program.
#pragma once

#include <memory>

#include "decode.h"

namespace simulator {

// linkage.shared is filled in here: shared variables get their places kernel by kernel. Throws PtxError.
std::unique_ptr<Program> compile_kernel(const FunctionSyntax& entry, Linkage linkage);

}  // namespace simulator
