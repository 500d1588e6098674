// Characters of PTX text to words: the parser's only view of the text.
#pragma once

#include <cctype>
#include <string>
#include <string_view>

#include "syntax.h"

namespace simulator {

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  int line() { return skip(), line_; }
  bool at_end() { return skip(), position_ >= text_.size(); }
  char peek() { return skip(), position_ < text_.size() ? text_[position_] : '\0'; }
  bool accept(char c) {
    if (peek() != c) return false;
    ++position_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail(std::string("expected '") + c + "'");
  }

  static bool starts_word(char c) {
    return std::isalpha(static_cast<unsigned char>(c)) || c == '_' || c == '$' || c == '%';
  }
  static bool in_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '$'; }

  // An identifier, or "" if none follows.
  std::string_view word() {
    skip();
    if (position_ >= text_.size() || !starts_word(text_[position_])) return {};
    size_t begin = position_++;
    while (position_ < text_.size() && in_word(text_[position_])) ++position_;
    return text_.substr(begin, position_ - begin);
  }

  // .directive or .modifier, without the dot; "" if none follows. Modifiers may contain "::".
  std::string_view dotted() {
    skip();
    if (position_ + 1 >= text_.size() || text_[position_] != '.' || !in_word(text_[position_ + 1])) return {};
    size_t begin = ++position_;
    while (position_ < text_.size() &&
           (in_word(text_[position_]) || (text_[position_] == ':' && position_ + 2 < text_.size() &&
                                          text_[position_ + 1] == ':' && in_word(text_[position_ + 2])))) {
      position_ += text_[position_] == ':' ? 2 : 1;
    }
    return text_.substr(begin, position_ - begin);
  }
  // The same only if it follows without space: the modifiers of an opcode.
  std::string_view modifier() {
    if (position_ >= text_.size() || text_[position_] != '.') return {};
    return dotted();
  }
  std::string_view peek_dotted() {
    State saved = save();
    std::string_view result = dotted();
    restore(saved);
    return result;
  }

  bool starts_number() {
    char c = peek();
    return std::isdigit(static_cast<unsigned char>(c)) != 0;
  }
  // The characters of a number, hexadecimal and float forms included.
  std::string_view number() {
    skip();
    size_t begin = position_;
    bool hexadecimal = false;
    while (position_ < text_.size()) {
      char c = text_[position_];
      if (position_ == begin + 1 && text_[begin] == '0' &&
          (c == 'x' || c == 'X' || c == 'f' || c == 'F' || c == 'd' || c == 'D')) {
        hexadecimal = true;
      } else if ((c == '+' || c == '-') && !hexadecimal &&
                 (text_[position_ - 1] == 'e' || text_[position_ - 1] == 'E') && position_ > begin) {
        // exponent sign
      } else if (!std::isalnum(static_cast<unsigned char>(c)) && (c != '.' || hexadecimal)) {
        break;
      }
      ++position_;
    }
    return text_.substr(begin, position_ - begin);
  }

  std::string quoted() {
    expect('"');
    size_t begin = position_;
    while (position_ < text_.size() && text_[position_] != '"') ++position_;
    std::string result(text_.substr(begin, position_ - begin));
    if (position_ < text_.size()) ++position_;
    return result;
  }

  // Skips to and over the next ';' (or to the end of the line, for directives that have none).
  void skip_statement() {
    while (position_ < text_.size() && text_[position_] != ';') {
      if (text_[position_] == '\n') ++line_;
      ++position_;
    }
    if (position_ < text_.size()) ++position_;
  }
  void skip_line() {
    while (position_ < text_.size() && text_[position_] != '\n') ++position_;
  }
  void skip_braces() {
    expect('{');
    int depth = 1;
    while (depth > 0) {
      char c = peek();
      if (c == '\0') fail("unbalanced braces");
      ++position_;
      depth += c == '{' ? 1 : c == '}' ? -1 : 0;
    }
  }

  struct State {
    size_t position;
    int line;
  };
  State save() const { return {position_, line_}; }
  void restore(State state) { position_ = state.position, line_ = state.line; }

  [[noreturn]] void fail(const std::string& message) {
    int at = line();
    size_t end = position_;
    while (end < text_.size() && text_[end] != '\n' && end - position_ < 24) ++end;
    std::string near(text_.substr(position_, end - position_));
    throw PtxError(at, message + (near.empty() ? " at the end of the text" : " before '" + near + "'"));
  }

 private:
  void skip() {
    while (position_ < text_.size()) {
      char c = text_[position_];
      if (c == '\n') {
        ++line_, ++position_;
      } else if (c == ' ' || c == '\t' || c == '\r') {
        ++position_;
      } else if (c == '/' && position_ + 1 < text_.size() && text_[position_ + 1] == '/') {
        skip_line();
      } else if (c == '/' && position_ + 1 < text_.size() && text_[position_ + 1] == '*') {
        position_ += 2;
        while (position_ + 1 < text_.size() && !(text_[position_] == '*' && text_[position_ + 1] == '/')) {
          if (text_[position_] == '\n') ++line_;
          ++position_;
        }
        position_ = position_ + 2 < text_.size() ? position_ + 2 : text_.size();
      } else {
        return;
      }
    }
  }

  std::string_view text_;
  size_t position_ = 0;
  int line_ = 1;
};

}  // namespace simulator
