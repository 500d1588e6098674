// One-line device expressions checked against host functions over many inputs, all in one kernel.
#pragma once

#include <cmath>
#include <functional>
#include <tuple>
#include <type_traits>

#include "device_test.h"

namespace simulator::tests {

template <class T>
const char* device_type();
template <>
inline const char* device_type<int8_t>() {
  return "signed char";
}
template <>
inline const char* device_type<uint8_t>() {
  return "unsigned char";
}
template <>
inline const char* device_type<int16_t>() {
  return "short";
}
template <>
inline const char* device_type<uint16_t>() {
  return "unsigned short";
}
template <>
inline const char* device_type<int32_t>() {
  return "int";
}
template <>
inline const char* device_type<uint32_t>() {
  return "unsigned";
}
template <>
inline const char* device_type<int64_t>() {
  return "long long";
}
template <>
inline const char* device_type<uint64_t>() {
  return "unsigned long long";
}
template <>
inline const char* device_type<float>() {
  return "float";
}
template <>
inline const char* device_type<double>() {
  return "double";
}

// The same bits; any NaN is as good as another, since PTX does not fix its payload.
template <class T>
bool same_value(const T& a, const T& b) {
  if constexpr (std::is_floating_point_v<T>)
    if (std::isnan(a) && std::isnan(b)) return true;
  return std::memcmp(&a, &b, sizeof(T)) == 0;
}

template <class T>
std::string show(T value) {
  char text[64];
  if constexpr (std::is_floating_point_v<T>)
    std::snprintf(text, sizeof text, "%a", static_cast<double>(value));
  else if constexpr (std::is_signed_v<T>)
    std::snprintf(text, sizeof text, "%lld", static_cast<long long>(value));
  else
    std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

// `device` is CUDA source over a, b and c, the inputs in order.
template <class Out, class... In>
struct Expression {
  std::string device;
  std::function<Out(In...)> host;
};

template <class Out, class... In>
using Expressions = std::vector<Expression<Out, In...>>;

// All pairs, all triples.
template <class A, class B>
std::vector<std::tuple<A, B>> pairs(const std::vector<A>& as, const std::vector<B>& bs) {
  std::vector<std::tuple<A, B>> all;
  for (const A& a : as)
    for (const B& b : bs) all.emplace_back(a, b);
  return all;
}
template <class A, class B, class C>
std::vector<std::tuple<A, B, C>> triples(const std::vector<A>& as, const std::vector<B>& bs, const std::vector<C>& cs) {
  std::vector<std::tuple<A, B, C>> all;
  for (const A& a : as)
    for (const B& b : bs)
      for (const C& c : cs) all.emplace_back(a, b, c);
  return all;
}
template <class A>
std::vector<std::tuple<A>> singles(const std::vector<A>& as) {
  std::vector<std::tuple<A>> all;
  for (const A& a : as) all.emplace_back(a);
  return all;
}

class ExpressionTest : public KernelTest {
 protected:
  // `prelude` goes before the kernel: device functions the expressions call.
  template <class Out, class... In>
  void check(const Expressions<Out, In...>& expressions, const std::vector<std::tuple<In...>>& inputs,
             const std::string& prelude = "", const std::vector<std::string>& options = {}) {
    check_with(expressions, inputs, prelude, options, std::index_sequence_for<In...>{});
  }

 private:
  template <class Out, class... In, size_t... I>
  void check_with(const Expressions<Out, In...>& expressions, const std::vector<std::tuple<In...>>& inputs,
                  const std::string& prelude, const std::vector<std::string>& options, std::index_sequence<I...>) {
    const char* const names[] = {"a", "b", "c", "d"};
    std::string parameters, loads, body;
    ((parameters += std::string("const ") + device_type<In>() + "* in_" + names[I] + ", "), ...);
    ((loads += std::string("  const ") + device_type<In>() + " " + names[I] + " = in_" + names[I] + "[i];\n"), ...);
    for (size_t e = 0; e < expressions.size(); ++e)
      body += "  out[" + std::to_string(e) + "ull * n + i] = (" + expressions[e].device + ");\n";
    const std::string source = prelude + "\nextern \"C\" __global__ void evaluate(" + parameters + device_type<Out>() +
                               "* out, unsigned n) {\n  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;\n" +
                               "  if (i >= n) return;\n" + loads + body + "}\n";
    const CUfunction evaluate = kernel(source, "evaluate", options);
    ASSERT_NE(evaluate, nullptr);
    const auto n = static_cast<unsigned>(inputs.size());
    std::tuple<std::vector<In>...> columns;
    for (const auto& row : inputs) (std::get<I>(columns).push_back(std::get<I>(row)), ...);
    std::tuple<Buffer<In>...> in{std::get<I>(columns)...};
    Buffer<Out> out(n * expressions.size());
    launch(evaluate, grid((n + 127) / 128, 128), std::get<I>(in)..., out, n);
    if (HasFatalFailure()) return;
    const std::vector<Out> results = out.download();
    for (size_t e = 0; e < expressions.size(); ++e) {
      unsigned wrong = 0;
      for (unsigned i = 0; i < n && wrong < 3; ++i) {
        const Out expected = expressions[e].host(std::get<I>(inputs[i])...);
        const Out actual = results[e * n + i];
        if (same_value(expected, actual)) continue;
        ++wrong;
        std::string where;
        ((where += std::string(" ") + names[I] + "=" + show(std::get<I>(inputs[i]))), ...);
        ADD_FAILURE() << expressions[e].device << " with" << where << ": is " << show(actual) << ", should be "
                      << show(expected);
      }
    }
  }
};

}  // namespace simulator::tests
