// How tests get their databases: a cluster that is started at the first use and stopped at exit, and
// CREATE DATABASE from a template.
#include "tests/support/temporary_database.hpp"

#include "persistence/embedded_cluster.hpp"

#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>

#include <cstdlib>
#include <map>
#include <random>
#include <stdexcept>
#include <string_view>

namespace accrue::testing {
namespace {

namespace fs = std::filesystem;

/// The value, or an exception that fails the test with the failure's words.
template <class T>
T must(pg::outcome<T> outcome) {
  if (!outcome)
    throw std::runtime_error(outcome.error().text);
  if constexpr (!std::is_void_v<T>)
    return std::move(*outcome);
}

template <class T>
T must(result<T> outcome) {
  if (!outcome)
    throw std::runtime_error(outcome.error().text);
  return std::move(*outcome);
}

/// The one cluster of this process.
class test_cluster {
public:
  static test_cluster& get() {
    static test_cluster only;
    return only;
  }
  std::string conninfo(const std::string& database) const { return cluster_.conninfo(database); }
  pg::outcome<pg::result> run(const std::string& sql) { return admin_.execute(sql); }
  std::string next_name() { return fmt::format("test_{}", ++made_); }

  /// The name of the template database with these migrations.
  std::string template_for(std::span<const migration> wanted) {
    if (wanted.empty())
      return "template0";
    auto& name = templates_[wanted.data()];
    if (!name.empty())
      return name;
    const std::string fresh = fmt::format("template_{}", templates_.size());
    must(run("CREATE DATABASE " + fresh + " TEMPLATE template0"));
    auto database = must(pg::session::open(conninfo(fresh)));
    must(migrate(database, wanted));
    return name = fresh;
  }

private:
  static cluster_settings settings(const fs::path& directory) {
    cluster_settings out;
    out.directory = directory;
    out.shared_buffers_mb = 64;
    out.max_wal_size_mb = 256;
    out.durable = false;
    out.outlives_owner = false;
    return out;
  }
  temporary_directory directory_;
  embedded_cluster cluster_ = must(embedded_cluster::start(settings(directory_.path())));
  pg::session admin_ = must(pg::session::open(cluster_.conninfo()));
  std::map<const migration*, std::string> templates_;
  int made_ = 0;
};

} // namespace

temporary_directory::temporary_directory() {
  std::random_device seed;
  path_ = fs::temp_directory_path() / fmt::format("accrue-test-{:08x}{:08x}", seed(), seed());
}

temporary_directory::~temporary_directory() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

temporary_database::temporary_database(std::span<const migration> wanted) {
  const char* const choice = std::getenv("ACCRUE_TEST_PG");
  if (choice != nullptr && std::string_view(choice) == "skip")
    SKIP("ACCRUE_TEST_PG=skip: not run against PostgreSQL");
  test_cluster& cluster = test_cluster::get();
  const std::string from = cluster.template_for(wanted);
  name_ = cluster.next_name();
  must(cluster.run("CREATE DATABASE " + name_ + " TEMPLATE " + from));
  conninfo_ = cluster.conninfo(name_);
}

temporary_database::~temporary_database() {
  (void)test_cluster::get().run("DROP DATABASE IF EXISTS " + name_ + " WITH (FORCE)");
}

pg::session temporary_database::session() const { return must(pg::session::open(conninfo_)); }

} // namespace accrue::testing
