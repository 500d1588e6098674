#include "decode.h"
namespace simulator {
struct AsyncCopies {};
void add_async_opcodes(Opcodes&) {}
}  // namespace simulator
