#include "decode.h"
namespace simulator {
void add_matrix_opcodes(Opcodes&) {}
}  // namespace simulator
