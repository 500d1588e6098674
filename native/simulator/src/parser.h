// PTX text to syntax tree. Instructions are taken apart but not judged; see decode.h for that.
#pragma once

#include <string_view>

#include "syntax.h"

namespace simulator {

// Throws PtxError.
ModuleSyntax parse_ptx(std::string_view text);

}  // namespace simulator
