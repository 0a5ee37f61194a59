// The accelerator of a board without a processor, behind a serial port, for systems with POSIX terminals.
#ifndef HEADRACE_SERIAL_DEVICE_HPP
#define HEADRACE_SERIAL_DEVICE_HPP

#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <deque>
#include <random>

#include "headrace_driver.hpp"
#include "packets.hpp"

namespace headrace {

// After an error only reset() helps. Registers are written without waiting: what went wrong is said at the next access.
class SerialDevice : public Device {
 public:
  // Throws std::runtime_error where the port cannot be opened, where no board answers, or one with another protocol.
  explicit SerialDevice(const std::string& port, unsigned baud = 3000000)
      : name_(port), tag_(uint8_t(std::random_device()())), file_(opened(port, baud)) {
    try {
      reset();
      identify();
    } catch (...) {
      close(file_);
      throw;
    }
  }
  SerialDevice(const SerialDevice&) = delete;
  SerialDevice& operator=(const SerialDevice&) = delete;
  ~SerialDevice() override { close(file_); }

  double patience_s = 10;  // without a packet from the board, after which it is an error

  uint32_t read(uint32_t offset) override {
    const std::vector<uint8_t> answer = ask(READ, {uint8_t(offset), uint8_t(offset >> 8), 1});
    if (answer.size() != 4) fail("a register has not 4 bytes");
    return answer[0] | answer[1] << 8 | answer[2] << 16 | uint32_t(answer[3]) << 24;
  }

  void write(uint32_t offset, uint32_t value) override {
    if (failed_ && offset == model::REGISTER_CONTROL) reset();  // a reset of the accelerator begins with it
    std::vector<uint8_t> payload{uint8_t(offset), uint8_t(offset >> 8)};
    for (int k = 0; k < 4; ++k) payload.push_back(uint8_t(value >> 8 * k));
    post({WRITE, 0, 0, payload});
  }

  void transfer(const std::vector<uint8_t>& in, std::vector<uint8_t>& out) override {
    const size_t wanted = out.size(), step = room_ / 2 - 8;
    results_.clear();
    ended_ = false;
    for (size_t begin = 0; begin < in.size(); begin += step) {
      const size_t end = std::min(in.size(), begin + step);
      post({RUN, 0, uint8_t(end == in.size()), {in.begin() + std::ptrdiff_t(begin), in.begin() + std::ptrdiff_t(end)}});
    }
    while (!open_.empty() || !ended_) {
      receive(std::to_string(results_.size()) + " of " + std::to_string(wanted) + " bytes of results came");
      if (results_.size() > wanted) fail("more than " + std::to_string(wanted) + " bytes of results came");
    }
    out = results_;
  }

  // Gets into step, whatever state line and board are in; what is under way is lost, the accelerator is held.
  void reset() override {
    bool rest = failed_;
    for (const double seconds : {0.5, 1.0, 3.0}) {
      if (rest) drain();
      rest = true;
      parser_.clear();
      open_.clear();
      send({RESET, ++tag_, 0, {}});
      if (!await_reset(seconds)) continue;
      parser_.clear();
      results_.clear();
      number_ = 0;
      failed_ = false;
      ended_ = true;
      return;
    }
    failed_ = true;
    throw std::runtime_error(name_ + ": no headrace board answers; check the port, the cable, the rate and that the "
                             "bitstream is loaded");
  }

  // Nothing is left behind an accelerator after reset().
  bool collect() override { return false; }

 private:
  using Clock = std::chrono::steady_clock;

  // A packet without an answer.
  struct Open {
    uint8_t tag, command;
    size_t bytes;  // in the board's buffer
  };

  static Clock::time_point in_seconds(double seconds) {
    return Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  }

  static speed_t speed(const std::string& port, unsigned baud) {
    switch (baud) {
      case 9600: return B9600;
      case 115200: return B115200;
#ifdef B230400
      case 230400: return B230400;
#endif
#ifdef B460800
      case 460800: return B460800;
      case 921600: return B921600;
      case 1000000: return B1000000;
      case 2000000: return B2000000;
      case 3000000: return B3000000;
#endif
      default: throw std::invalid_argument(port + ": " + std::to_string(baud) + " baud is not a rate of this system");
    }
  }

  static int opened(const std::string& port, unsigned baud) {
    const speed_t rate = speed(port, baud);
    const int file = open(port.c_str(), O_RDWR | O_NOCTTY);
    termios settings{};
    if (file < 0 || tcgetattr(file, &settings) != 0) {
      if (file >= 0) close(file);
      throw std::runtime_error(port + " cannot be opened; check name and permissions, and that it is a serial port");
    }
    cfmakeraw(&settings);
    settings.c_cflag |= CLOCAL | CREAD;
    settings.c_cflag &= ~tcflag_t(CSTOPB | PARENB);
    cfsetispeed(&settings, rate);
    cfsetospeed(&settings, rate);
    if (tcsetattr(file, TCSANOW, &settings) != 0) {
      close(file);
      throw std::runtime_error(port + " does not take " + std::to_string(baud) + " baud");
    }
    return file;
  }

  void identify() {
    const std::vector<uint8_t> identity = ask(IDENTIFY, {});
    if (identity.size() < 2 || identity[0] != PROTOCOL) {
      throw std::runtime_error(name_ + ": the board speaks another version of the protocol; take the driver of the "
                               "same build");
    }
    room_ = size_t(1) << identity[1];
  }

  [[noreturn]] void fail(const std::string& what) {
    failed_ = true;
    throw std::runtime_error(name_ + ": " + what + "; call reset()");
  }

  // Lets the line rest until the board waits for the beginning of a packet.
  void drain() {
    for (const auto end = in_seconds(0.1); Clock::now() < end;) {
      take();
      parser_.clear();
    }
  }

  bool await_reset(double seconds) {
    Packet packet;
    for (const auto end = in_seconds(seconds); Clock::now() < end;) {
      take();
      while (parser_.next(packet)) {
        if (packet.command == (RESET | ANSWERS) && packet.tag == tag_ && packet.info == 0) return true;
      }
    }
    return false;
  }

  // The payload of the answer to a command.
  std::vector<uint8_t> ask(uint8_t command, const std::vector<uint8_t>& payload) {
    const uint8_t tag = post({command, 0, 0, payload});
    for (;;) {
      const Packet packet = receive("an answer is missing");
      if (packet.command == (command | ANSWERS) && packet.tag == tag) return packet.payload;
    }
  }

  // Sends a command as soon as the board has room for it; returns its tag.
  uint8_t post(Packet packet) {
    if (failed_) throw std::runtime_error(name_ + ": an error came before; call reset()");
    const size_t bytes = packet.payload.size() + PACKET_HEADER;
    while (open_.size() == MOST_OPEN || (!open_.empty() && waiting() + bytes > room_)) receive("an answer is missing");
    packet.tag = ++tag_;
    open_.push_back({packet.tag, packet.command, bytes});
    send(packet);
    return packet.tag;
  }

  size_t waiting() const {
    size_t bytes = 0;
    for (const Open& open : open_) bytes += open.bytes;
    return bytes;
  }

  void send(const Packet& packet) {
    const std::vector<uint8_t> bytes = packet_bytes(packet);
    for (size_t sent = 0; sent < bytes.size();) {
      const ssize_t some = ::write(file_, &bytes[sent], bytes.size() - sent);
      if (some <= 0) fail("the port fails");
      sent += size_t(some);
    }
  }

  // What came within two milliseconds goes to the parser.
  void take() {
    pollfd ready{file_, POLLIN, 0};
    if (poll(&ready, 1, 2) <= 0) return;
    uint8_t bytes[4096];
    const ssize_t size = ::read(file_, bytes, sizeof bytes);
    if (size <= 0) fail("the port fails");
    parser_.push(bytes, size_t(size));
  }

  // The next packet, which is what may come now; missing: what did not come, otherwise.
  Packet receive(const std::string& missing) {
    Packet packet;
    bool there = parser_.next(packet);
    for (const auto end = in_seconds(patience_s); !there && parser_.skipped() == 0; there = parser_.next(packet)) {
      if (Clock::now() > end) fail(missing + " within " + std::to_string(int(patience_s)) + " seconds");
      take();
    }
    if (parser_.skipped() > 0) fail("bytes came that belong to no packet");
    check(packet);
    return packet;
  }

  void check(const Packet& packet) {
    if (packet.command == LOST) fail("the board lost a packet: " + code_text(packet.info));
    if (packet.command == RESULT) {
      if (packet.tag != number_ || ended_ || packet.payload.empty()) fail("results came that were not to come");
      ++number_;
      ended_ = packet.info & 1;
      results_.insert(results_.end(), packet.payload.begin(), packet.payload.end());
      return;
    }
    if (open_.empty() || packet.tag != open_.front().tag || packet.command != (open_.front().command | ANSWERS)) {
      fail("an answer came that no command waits for");
    }
    if (packet.info) fail("the board refused a packet: " + code_text(packet.info));
    open_.pop_front();
  }

  static constexpr size_t MOST_OPEN = 128;  // so that their tags differ

  std::string name_;
  uint8_t tag_;  // of the newest packet; the first is not that of a program that died
  int file_;
  Parser parser_;
  std::deque<Open> open_;
  std::vector<uint8_t> results_;
  size_t room_ = 64;  // of the board's buffer
  uint8_t number_ = 0;  // of the results that come next
  bool ended_ = true, failed_ = false;
};

}  // namespace headrace

#endif
