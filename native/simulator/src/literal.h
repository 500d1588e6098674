// Numbers in PTX text: integers in all bases, 0f and 0d floats, decimal floats.
#pragma once

#include "scanner.h"
#include "syntax.h"

namespace simulator {

// A literal with its sign, as an operand.
Operand parse_number(Scanner& in);
// A plain non-negative integer.
uint64_t parse_natural(Scanner& in);
// The literal's bits as an element of the type.
uint64_t literal_bits(const Operand& literal, Type type);

}  // namespace simulator
