// Connections within one machine are not paced; others stay as the system made them.
#include "protocol/loopback.hpp"

#include <catch2/catch_test_macros.hpp>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>

using namespace accrue;

namespace {

/// A socket that is closed in the end.
struct owned_socket {
  int fd;
  explicit owned_socket(int of) : fd(of) { REQUIRE(fd >= 0); }
  ~owned_socket() { ::close(fd); }
  owned_socket(const owned_socket&) = delete;
  owned_socket& operator=(const owned_socket&) = delete;
};

std::string congestion_control(int socket) {
  std::array<char, 16> name{};
  socklen_t size = name.size();
  REQUIRE(::getsockopt(socket, IPPROTO_TCP, TCP_CONGESTION, name.data(), &size) == 0);
  return name.data();
}

sockaddr_in6 address_of(int socket) {
  sockaddr_in6 here{};
  socklen_t size = sizeof here;
  REQUIRE(::getsockname(socket, reinterpret_cast<sockaddr*>(&here), &size) == 0);
  return here;
}

/// Listens on the loopback of IPv4, as IPv6 sees it.
sockaddr_in6 listen_mapped(int socket) {
  sockaddr_in6 where{};
  where.sin6_family = AF_INET6;
  where.sin6_addr.s6_addr[10] = where.sin6_addr.s6_addr[11] = 0xff;
  where.sin6_addr.s6_addr[12] = 127;
  where.sin6_addr.s6_addr[15] = 1;
  REQUIRE(::bind(socket, reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0);
  REQUIRE(::listen(socket, 4) == 0);
  return address_of(socket);
}

} // namespace

TEST_CASE("both ends of a connection within the machine lose their pacing") {
  const owned_socket listening(::socket(AF_INET6, SOCK_STREAM, 0));
  const auto mapped = listen_mapped(listening.fd);
  const owned_socket v6(::socket(AF_INET6, SOCK_STREAM, 0));
  REQUIRE(::connect(v6.fd, reinterpret_cast<const sockaddr*>(&mapped), sizeof mapped) == 0);
  sockaddr_in plain{};
  plain.sin_family = AF_INET;
  plain.sin_port = mapped.sin6_port;
  plain.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const owned_socket v4(::socket(AF_INET, SOCK_STREAM, 0));
  REQUIRE(::connect(v4.fd, reinterpret_cast<const sockaddr*>(&plain), sizeof plain) == 0);
  const owned_socket accepted(::accept(listening.fd, nullptr, nullptr));
  for (const int socket : {v4.fd, v6.fd, accepted.fd}) {
    wire::unpace_loopback(socket);
    CHECK(congestion_control(socket) == "reno");
  }
}

TEST_CASE("a socket that leads nowhere, or is none of TCP, stays as it is") {
  const owned_socket unconnected(::socket(AF_INET, SOCK_STREAM, 0));
  const auto before = congestion_control(unconnected.fd);
  wire::unpace_loopback(unconnected.fd);
  CHECK(congestion_control(unconnected.fd) == before);
  wire::unpace_loopback(-1);
}
