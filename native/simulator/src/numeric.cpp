#include "numeric.h"

#include <cfenv>
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

namespace simulator {

#if defined(__SSE__)
RoundingScope::RoundingScope(Rounding mode) : saved_(_mm_getcsr()) {
  unsigned bits = mode == Rounding::zero   ? _MM_ROUND_TOWARD_ZERO
                  : mode == Rounding::down ? _MM_ROUND_DOWN
                  : mode == Rounding::up   ? _MM_ROUND_UP
                                           : _MM_ROUND_NEAREST;
  _mm_setcsr((saved_ & ~static_cast<unsigned>(_MM_ROUND_MASK)) | bits);
  __asm__ volatile("" ::: "memory");
}
RoundingScope::~RoundingScope() {
  __asm__ volatile("" ::: "memory");
  _mm_setcsr(saved_);
}
#else
RoundingScope::RoundingScope(Rounding mode) : saved_(static_cast<unsigned>(std::fegetround())) {
  std::fesetround(mode == Rounding::zero   ? FE_TOWARDZERO
                  : mode == Rounding::down ? FE_DOWNWARD
                  : mode == Rounding::up   ? FE_UPWARD
                                           : FE_TONEAREST);
  __asm__ volatile("" ::: "memory");
}
RoundingScope::~RoundingScope() {
  __asm__ volatile("" ::: "memory");
  std::fesetround(static_cast<int>(saved_));
}
#endif

}  // namespace simulator
