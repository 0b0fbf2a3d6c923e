// The length prefix, the limit and partial reads. What frames mean is tested with the codec.
#include "accrue/v1/values.pb.h"
#include "tests/protocol/frames.hpp"

#include <catch2/catch_test_macros.hpp>
#include <rapidcheck.h>

using namespace accrue;
using namespace accrue::wire;

namespace {

std::string framed(std::string_view payload) {
  const auto length = static_cast<std::uint32_t>(payload.size());
  std::string out;
  for (const int shift : {24, 16, 8, 0})
    out += static_cast<char>(length >> shift & 0xFF);
  return out.append(payload);
}

std::vector<std::string> drain(frame_reader& reader) {
  std::vector<std::string> frames;
  auto frame = reader.next();
  for (; frame && *frame; frame = reader.next())
    frames.emplace_back(**frame);
  REQUIRE(frame);
  return frames;
}

} // namespace

TEST_CASE("a message is appended behind its big-endian length") {
  v1::Instant message;
  message.set_unix_ns(300);
  std::string out = "before";
  append_frame(out, message);
  CHECK(out == "before" + framed(message.SerializeAsString()));
}

TEST_CASE("all frames of one read are given, and the rest waits") {
  frame_reader reader;
  feed(reader, framed("one") + framed("two") + framed("three").substr(0, 6));
  CHECK(drain(reader) == std::vector<std::string>{"one", "two"});
  CHECK(reader.pending_bytes() == 6);
  feed(reader, framed("three").substr(6));
  CHECK(drain(reader) == std::vector<std::string>{"three"});
  CHECK(reader.pending_bytes() == 0);
}

TEST_CASE("a payload lies in the buffer it was read into") {
  frame_reader reader;
  const auto room = reader.prepare();
  feed(reader, framed("abc"));
  const auto frame = reader.next();
  REQUIRE(frame);
  REQUIRE(*frame);
  CHECK((*frame)->data() == room.data() + prefix_bytes);
}

TEST_CASE("frames come out as they went in, however the stream is cut") {
  CHECK(rc::check([] {
    const auto sizes =
        *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(1, 40'000));
    const auto cut = *rc::gen::inRange<std::size_t>(1, 20'000);
    std::vector<std::string> sent;
    std::string stream;
    for (const auto size : sizes) {
      sent.emplace_back(size, static_cast<char>('a' + size % 26));
      stream += framed(sent.back());
    }
    frame_reader reader;
    std::vector<std::string> got;
    for (std::size_t at = 0; at < stream.size(); at += cut) {
      feed(reader, std::string_view(stream).substr(at, cut));
      for (auto& frame : drain(reader))
        got.push_back(std::move(frame));
    }
    RC_ASSERT(got == sent);
  }));
}

TEST_CASE("a frame of exactly the limit passes, a longer one is told by its length alone") {
  frame_reader reader(1000);
  feed(reader, framed(std::string(1000, 'x')));
  CHECK(drain(reader).size() == 1);
  feed(reader, framed(std::string(1001, 'x')).substr(0, prefix_bytes));
  const auto refused = reader.next();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::validation);
  CHECK(refused.error().text.find("1001 bytes") != std::string::npos);
  CHECK_FALSE(reader.next());
}

TEST_CASE("a length of zero and one of four gigabytes are errors that allocate nothing") {
  for (const auto& prefix : {std::string(4, '\0'), std::string(4, '\xFF')}) {
    frame_reader reader;
    feed(reader, prefix);
    const auto capacity = reader.capacity();
    CHECK_FALSE(reader.next());
    CHECK(reader.capacity() == capacity);
  }
}

TEST_CASE(
    "the buffer grows with what arrived, not with what is announced, and shrinks when empty") {
  frame_reader reader;
  const auto frame = framed(std::string(1'000'000, 'x'));
  feed(reader, std::string_view(frame).substr(0, 10'000));
  CHECK(drain(reader).empty());
  CHECK(reader.capacity() <= 32 * 1024);
  feed(reader, std::string_view(frame).substr(10'000));
  CHECK(drain(reader).size() == 1);
  CHECK(reader.capacity() > 1'000'000);
  CHECK_FALSE(reader.prepare().empty());
  CHECK(reader.capacity() <= 32 * 1024);
}

TEST_CASE("more cannot be committed than there was room for") {
  frame_reader reader;
  const auto room = reader.prepare().size();
  CHECK_THROWS_AS(reader.commit(room + 1), defect);
}
