// The proxy's thread: pairs of sockets, and a reader of the client's messages. See database_proxy.hpp.
#include "tests/faults/database_proxy.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include <array>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <vector>

namespace accrue::testing {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using unix_socket = asio::local::stream_protocol;
using failed = boost::system::error_code;

/// The value of a word "name=value" of a connection string.
std::string word_of(const std::string& conninfo, std::string_view name) {
  std::istringstream words(conninfo);
  for (std::string word; words >> word;)
    if (word.starts_with(name) && word.size() > name.size() && word[name.size()] == '=')
      return word.substr(name.size() + 1);
  throw std::invalid_argument("no " + std::string(name) + " in " + conninfo);
}

/// Follows a client's messages through its bytes: finds the Sync that ends a batch.
class message_reader {
public:
  /// Where in these bytes the Sync of a batch begins, if it does. The startup messages, which have no
  /// type, come first; libpq sends each of them in one piece and waits for the answer.
  std::optional<std::size_t> take(std::string_view bytes) {
    if (!started_) {
      started_ = bytes.size() > 8 && bytes.substr(4, 4) == std::string_view("\0\3\0\0", 4);
      return std::nullopt;
    }
    std::optional<std::size_t> found;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      if (message_.empty())
        begin_ = i;
      if (message_.size() < kept)
        message_ += bytes[i];
      ++length_;
      if (message_.size() < 5 || length_ < whole())
        continue;
      if (message_[0] == 'B' && message_.find(batch_row, 5) != std::string::npos)
        batch_ = true;
      if (message_[0] == 'S' && std::exchange(batch_, false))
        found = begin_;
      message_.clear();
      length_ = 0;
    }
    return found;
  }
  /// A batch is on its way and has not ended.
  [[nodiscard]] bool in_batch() const noexcept { return batch_; }

private:
  static constexpr std::size_t kept = 64;
  static constexpr std::string_view batch_row{"\0batch_row\0", 11}; // the portal's name is empty

  [[nodiscard]] std::size_t whole() const {
    std::size_t n = 0;
    for (std::size_t i = 1; i < 5; ++i)
      n = n << 8 | static_cast<unsigned char>(message_[i]);
    return n + 1;
  }

  bool started_ = false;
  bool batch_ = false;
  std::string message_; ///< its beginning
  std::size_t length_ = 0;
  std::size_t begin_ = 0;
};

} // namespace

struct database_proxy::state {
  /// One connection of the server and the one behind it.
  struct line : std::enable_shared_from_this<line> {
    line(state& owner, tcp::socket near) : of(owner), client(std::move(near)), database(owner.io) {}

    void start() {
      database.async_connect(of.behind, [me = shared_from_this()](const failed& error) {
        if (error)
          return me->end();
        me->from_client();
        me->from_database();
      });
    }

    void from_client() {
      client.async_read_some(asio::buffer(up),
                             [me = shared_from_this()](const failed& error, std::size_t n) {
                               if (error)
                                 return me->end();
                               me->later([me, n] { me->forward(n); });
                             });
    }

    void forward(std::size_t n) {
      if (of.swallowing)
        silent = true;
      if (silent)
        return from_client();
      const auto sync = messages.take(std::string_view(up.data(), n));
      auto keep = n;
      bool over = false;
      if (of.armed == at_commit::cut_half && (messages.in_batch() || sync)) {
        keep = n / 2;
        over = true;
      } else if (sync && of.armed) {
        over = of.armed == at_commit::cut_before;
        keep = over ? *sync : n;
        losing = of.armed;
        of.armed.reset();
      }
      asio::async_write(database,
                        asio::buffer(up.data(), keep),
                        [me = shared_from_this(), over](const failed& error, std::size_t) {
                          if (error || over)
                            me->end();
                          if (over)
                            return me->of.happened();
                          if (!error)
                            me->from_client();
                        });
    }

    void from_database() {
      database.async_read_some(asio::buffer(down),
                               [me = shared_from_this()](const failed& error, std::size_t n) {
                                 if (error)
                                   return me->end();
                                 me->later([me, n] { me->answer(n); });
                               });
    }

    void answer(std::size_t n) {
      if (of.swallowing)
        silent = true;
      const std::string_view bytes(down.data(), n);
      // ReadyForQuery, idle: the transaction is over. It ends what the database sends for now.
      if (losing && bytes.ends_with(std::string_view("Z\0\0\0\5I", 6))) {
        const bool stays = std::exchange(losing, std::nullopt) == at_commit::swallow;
        if (stays)
          silent = true;
        else
          end();
        of.happened();
        return stays ? from_database() : void();
      }
      if (silent || losing)
        return from_database();
      asio::async_write(client,
                        asio::buffer(down.data(), n),
                        [me = shared_from_this()](const failed& error, std::size_t) {
                          if (error)
                            return me->end();
                          me->from_database();
                        });
    }

    template <class F>
    void later(F what) {
      if (of.delay.count() == 0)
        return what();
      auto timer = std::make_shared<asio::steady_timer>(of.io, of.delay);
      timer->async_wait([what = std::move(what), timer](const failed&) { what(); });
    }

    void end() {
      failed ignored;
      client.close(ignored);
      database.close(ignored);
      of.lines.erase(shared_from_this());
    }

    state& of;
    tcp::socket client;
    unix_socket::socket database;
    std::array<char, 65536> up{};
    std::array<char, 65536> down{};
    message_reader messages;
    bool silent = false;
    std::optional<at_commit> losing; ///< the commit whose answer does not arrive
  };

  explicit state(const std::string& conninfo)
      : behind(fmt::format("{}/.s.PGSQL.{}", word_of(conninfo, "host"), word_of(conninfo, "port"))),
        rest(fmt::format(
            "user={} dbname={}", word_of(conninfo, "user"), word_of(conninfo, "dbname"))),
        door(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {
    accept();
    thread = std::jthread([this] { io.run(); });
  }

  ~state() {
    io.stop();
    thread.join();
    lines.clear();
  }

  void accept() {
    door.async_accept([this](const failed& error, tcp::socket near) {
      if (error)
        return;
      failed ignored;
      near.set_option(tcp::no_delay(true), ignored);
      if (!refusing) {
        const auto made = std::make_shared<line>(*this, std::move(near));
        lines.insert(made);
        made->start();
      }
      accept();
    });
  }

  void happened() {
    const std::lock_guard lock(mutex);
    armed.reset();
    done = true;
    changed.notify_all();
  }

  /// Runs it on the proxy's thread and waits for it.
  template <class F>
  void on_thread(F what) {
    bool ran = false;
    asio::post(io, [&] {
      what();
      const std::lock_guard lock(mutex);
      ran = true;
      changed.notify_all();
    });
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return ran; });
  }

  asio::io_context io{1};
  unix_socket::endpoint behind;
  std::string rest;
  tcp::acceptor door;
  std::set<std::shared_ptr<line>> lines;
  // Of the proxy's thread.
  std::optional<at_commit> armed;
  bool refusing = false;
  bool swallowing = false;
  std::chrono::microseconds delay{0};

  std::mutex mutex;
  std::condition_variable changed;
  bool done = false; ///< what was armed has happened
  std::jthread thread;
};

database_proxy::database_proxy(const std::string& conninfo)
    : it_(std::make_unique<state>(conninfo)) {}
database_proxy::~database_proxy() = default;

std::string database_proxy::conninfo() const {
  return fmt::format("host=127.0.0.1 port={} {}", it_->door.local_endpoint().port(), it_->rest);
}

void database_proxy::arm(at_commit what) {
  it_->on_thread([this, what] {
    it_->armed = what;
    it_->done = false;
  });
}

bool database_proxy::wait_until_done(std::chrono::milliseconds patience) {
  std::unique_lock lock(it_->mutex);
  return it_->changed.wait_for(lock, patience, [this] { return it_->done; });
}

void database_proxy::cut() {
  it_->on_thread([this] {
    const auto all = it_->lines;
    for (const auto& one : all)
      one->end();
  });
}

void database_proxy::refuse(bool on) {
  it_->on_thread([this, on] { it_->refusing = on; });
}

void database_proxy::swallow(bool on) {
  it_->on_thread([this, on] { it_->swallowing = on; });
}

void database_proxy::delay(std::chrono::microseconds by) {
  it_->on_thread([this, by] { it_->delay = by; });
}

} // namespace accrue::testing
