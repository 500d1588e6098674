// Which architecture and PTX version an instruction needs.
#pragma once

#include "syntax.h"

namespace simulator {

// Throws PtxError when the module's .target or .version is below what the instruction needs.
void check_target(const Instruction& instruction, const ModuleSyntax& module);

}  // namespace simulator
