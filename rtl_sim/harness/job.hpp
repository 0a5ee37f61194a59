// What a run is asked to do: integers and bytes of a file, one after the other.
#pragma once

#include <cstdint>
#include <cstring>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

// A file in memory, as far as it is looked at.
class Job {
 public:
  explicit Job(const char* path) {
    const int file = open(path, O_RDONLY);
    struct stat status;
    if (file < 0 || fstat(file, &status) != 0 || status.st_size == 0) return;
    void* start = mmap(nullptr, status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    close(file);
    if (start != MAP_FAILED) {
      at_ = static_cast<const uint8_t*>(start);
      end_ = at_ + status.st_size;
    }
  }

  int64_t integer() {
    int64_t value = 0;
    if (const uint8_t* start = bytes(sizeof value)) std::memcpy(&value, start, sizeof value);
    return value;
  }

  // The next `size` bytes; null, and `whole` no more, where there are fewer.
  const uint8_t* bytes(int64_t size) {
    const uint8_t* start = at_;
    if (end_ - at_ < size) {
      whole_ = false;
      return nullptr;
    }
    at_ += size;
    return start;
  }

  bool whole() const { return at_ && whole_; }

 private:
  const uint8_t *at_ = nullptr, *end_ = nullptr;
  bool whole_ = true;
};
