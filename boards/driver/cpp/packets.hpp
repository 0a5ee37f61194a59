// Packets of a board behind a serial port: marker, command, tag, info, length, payload, CRC-32.
#ifndef HEADRACE_PACKETS_HPP
#define HEADRACE_PACKETS_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace headrace {

constexpr uint8_t PROTOCOL = 1;
constexpr uint8_t IDENTIFY = 0x01, READ = 0x02, WRITE = 0x03, RUN = 0x04, RESET = 0x05, ECHO_BACK = 0x06;
constexpr uint8_t RESULT = 0xc0, LOST = 0xc1, ANSWERS = 0x80;

// info: the code of an answer; bit 0 of RUN and RESULT is the end of a transfer.
struct Packet {
  uint8_t command, tag, info;
  std::vector<uint8_t> payload;
};

constexpr size_t PACKET_HEADER = 5;  // in the board's buffer
constexpr uint8_t PACKET_MARKER = 0xa5;

// That of zlib and Ethernet.
inline uint32_t crc32(const uint8_t* bytes, size_t size) {
  uint32_t crc = 0xffffffff;
  for (size_t i = 0; i < size; ++i) {
    crc ^= bytes[i];
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc;
}

// As it passes the line.
inline std::vector<uint8_t> packet_bytes(const Packet& packet) {
  const size_t size = packet.payload.size();
  std::vector<uint8_t> bytes{PACKET_MARKER, packet.command, packet.tag, packet.info, uint8_t(size), uint8_t(size >> 8)};
  bytes.insert(bytes.end(), packet.payload.begin(), packet.payload.end());
  const uint32_t crc = crc32(&bytes[1], bytes.size() - 1);
  for (int k = 0; k < 4; ++k) bytes.push_back(uint8_t(crc >> 8 * k));
  return bytes;
}

// What a code of the board means.
inline std::string code_text(uint8_t code) {
  static const char* const texts[] = {"OK", "its CRC was wrong", "its length was wrong",
                                      "the board does not know the command",
                                      "it did not fit into the board's buffer", "a time-out", "a byte had no stop bit"};
  return code < 7 ? texts[code] : "code " + std::to_string(code);
}

// Bytes of a line to packets; what is not a packet is counted and skipped.
class Parser {
 public:
  void clear() { bytes_.clear(), skipped_ = 0; }
  void push(const uint8_t* bytes, size_t size) { bytes_.insert(bytes_.end(), bytes, bytes + size); }
  size_t skipped() const { return skipped_; }

  // The next packet of which all bytes are there.
  bool next(Packet& packet) {
    for (;;) {
      skip(size_t(std::find(bytes_.begin(), bytes_.end(), PACKET_MARKER) - bytes_.begin()));
      if (bytes_.size() <= PACKET_HEADER) return false;
      const size_t length = bytes_[4] | size_t(bytes_[5]) << 8, end = 1 + PACKET_HEADER + length;
      if (length <= MOST && bytes_.size() < end + 4) return false;
      if (length <= MOST && crc32(&bytes_[1], end + 4 - 1) == 0x2144df1c) {  // of bytes and their CRC
        packet = {bytes_[1], bytes_[2], bytes_[3], {bytes_.begin() + 6, bytes_.begin() + std::ptrdiff_t(end)}};
        bytes_.erase(bytes_.begin(), bytes_.begin() + std::ptrdiff_t(end + 4));
        return true;
      }
      skip(1);  // not a marker
    }
  }

 private:
  static constexpr size_t MOST = 1 << 15;  // longer payloads come from no board

  void skip(size_t count) {
    bytes_.erase(bytes_.begin(), bytes_.begin() + std::ptrdiff_t(count));
    skipped_ += count;
  }

  std::vector<uint8_t> bytes_;
  size_t skipped_ = 0;
};

}  // namespace headrace

#endif
