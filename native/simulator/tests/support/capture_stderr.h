// What is written to standard error while the object lives: the simulator's reports go there.
#pragma once

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace simulator::tests {

class CaptureStderr {
 public:
  CaptureStderr() {
    std::fflush(stderr);
    saved_ = dup(STDERR_FILENO);
    file_ = std::tmpfile();
    if (file_) dup2(fileno(file_), STDERR_FILENO);
  }
  CaptureStderr(const CaptureStderr&) = delete;
  CaptureStderr& operator=(const CaptureStderr&) = delete;
  ~CaptureStderr() { text(); }

  // Ends the capture; the text stays.
  const std::string& text() {
    if (!file_) return text_;
    std::fflush(stderr);
    dup2(saved_, STDERR_FILENO);
    close(saved_);
    std::rewind(file_);
    char part[4096];
    for (size_t n; (n = std::fread(part, 1, sizeof part, file_)) > 0;) text_.append(part, n);
    std::fclose(file_);
    file_ = nullptr;
    return text_;
  }

 private:
  int saved_ = -1;
  std::FILE* file_ = nullptr;
  std::string text_;
};

}  // namespace simulator::tests
