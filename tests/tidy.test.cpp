// The repository's own rules as tests: layers, SQL, file sizes, words, decisions and vectors.
// Rules about single lines of C++ belong to clang-format and clang-tidy, see tools/check.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace fs = std::filesystem;

namespace {

constexpr int decisions = 71;
constexpr std::size_t lines_max = 500;

const fs::path root = fs::absolute(ACCRUE_SOURCE_DIR).lexically_normal();

std::string read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// The files of the repository, relative to its root; what is built, hidden or of git is left out.
std::vector<fs::path> files() {
  std::vector<fs::path> found;
  for (auto at = fs::recursive_directory_iterator(root); at != fs::recursive_directory_iterator();
       ++at) {
    const auto name = at->path().filename().string();
    if (at->is_directory()) {
      if (name == "build" || name.starts_with('.')) {
        at.disable_recursion_pending();
      }
    } else if (at->is_regular_file() && !name.starts_with('.')) {
      found.push_back(fs::relative(at->path(), root));
    }
  }
  std::ranges::sort(found);
  return found;
}

bool has_extension(const fs::path& file, std::initializer_list<std::string_view> extensions) {
  return std::ranges::find(extensions, file.extension().string()) != extensions.end();
}

/// The first words of the lines of a list file and the rest of each line; '#' begins a comment.
std::map<std::string, std::string> read_list(const fs::path& file) {
  std::map<std::string, std::string> entries;
  std::istringstream in(read(file));
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string key;
    if (words >> key) {
      std::string rest;
      std::getline(words >> std::ws, rest);
      entries[key] = rest;
    }
  }
  return entries;
}

struct outcome {
  bool passed;
  std::string output;
};

outcome run(const std::string& program) {
  const auto command = "'" + (root / program).string() + "' 2>&1";
  FILE* pipe = popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string output;
  std::array<char, 4096> buffer{};
  while (const auto n = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    output.append(buffer.data(), n);
  }
  return {pclose(pipe) == 0, output};
}

} // namespace

TEST_CASE("no layer includes what it must not know", "[tidy]") {
  const auto [passed, output] = run("tools/layers.sh");
  INFO(output);
  CHECK(passed);
}

TEST_CASE("the SQL runs on distributed PostgreSQL too", "[tidy]") {
  const auto [passed, output] = run("tools/sql_lint.sh");
  INFO(output);
  CHECK(passed);
}

TEST_CASE("a file over 500 lines has a reason in tools/size_exceptions.txt", "[tidy]") {
  auto exceptions = read_list(root / "tools/size_exceptions.txt");
  for (const auto& file : files()) {
    if (!has_extension(file, {".cpp", ".hpp", ".proto", ".sql", ".sh", ".cmake", ".py"})) {
      continue;
    }
    const auto text = read(root / file);
    const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n'));
    const auto entry = exceptions.extract(file.string());
    if (lines > lines_max) {
      INFO(file.string() << " has " << lines << " lines; split it by noun, or give a reason");
      CHECK((entry && !entry.mapped().empty()));
    } else {
      INFO(file.string() << " has " << lines << " lines; take it off the list");
      CHECK(entry.empty());
    }
  }
  for (const auto& [file, reason] : exceptions) {
    FAIL_CHECK(file << " stands in tools/size_exceptions.txt and does not exist");
  }
}

TEST_CASE("the planted bugs fit the sources, and say what they would mean", "[tidy]") {
  std::size_t patches = 0;
  for (const auto& file : fs::directory_iterator(root / "tests/histories/planted")) {
    INFO(file.path().filename().string());
    ++patches;
    CHECK(read(file.path()).starts_with("# "));
    const auto command =
        "cd '" + root.string() + "' && git apply --check '" + file.path().string() + "' 2>&1";
    CHECK(std::system(command.c_str()) == 0);
  }
  CHECK(patches >= 3);
}

TEST_CASE("nothing is marked as unfinished", "[tidy]") {
  // Written with brackets, so that this file does not find itself. The third is also a currency's
  // code, which stands in quotes.
  const std::regex marks(R"re(\b([T]ODO|[F]IXME)\b|(^|[^"\w])[X]XX\b)re");
  for (const auto& file : files()) {
    if (file.parent_path() == "tests/vectors" || has_extension(file, {".png", ".svg"})) {
      continue;
    }
    std::istringstream in(read(root / file));
    std::size_t number = 0;
    for (std::string line; std::getline(in, line);) {
      ++number;
      if (std::regex_search(line, marks)) {
        FAIL_CHECK(file.string() << ":" << number << ": " << line);
      }
    }
  }
}

TEST_CASE("each C++ file begins with what lives in it, each header is included once", "[tidy]") {
  for (const auto& file : files()) {
    if (!has_extension(file, {".cpp", ".hpp"})) {
      continue;
    }
    const auto text = read(root / file);
    INFO(file.string());
    CHECK(text.starts_with("// "));
    CHECK((file.extension() != ".hpp" || text.find("\n#pragma once\n") != std::string::npos));
  }
}

TEST_CASE("each decision has a test that names it, or stands in the list of those to come",
          "[tidy]") {
  const auto pending = read_list(root / "tests/decisions_pending.txt");
  std::set<std::string> tagged;
  const std::regex tag("\\[(D[0-9]+)\\]");
  for (const auto& file : files()) {
    if (*file.begin() != "tests" || !file.string().ends_with(".test.cpp")) {
      continue;
    }
    const auto text = read(root / file);
    for (auto at = std::sregex_iterator(text.begin(), text.end(), tag);
         at != std::sregex_iterator();
         ++at) {
      tagged.insert((*at)[1]);
    }
  }

  std::string open;
  std::set<std::string> known;
  for (int number = 1; number <= decisions; ++number) {
    const auto id = "D" + std::to_string(number);
    known.insert(id);
    const bool has_test = tagged.contains(id);
    if (!has_test) {
      open += " " + id;
    }
    INFO(id << (has_test ? " has a test: take it off" : " has no test tagged with it and is not on")
            << " tests/decisions_pending.txt");
    CHECK(has_test != pending.contains(id));
  }
  for (const auto& [id, reason] : pending) {
    INFO(id << " is not a decision");
    CHECK(known.contains(id));
  }
  for (const auto& id : tagged) {
    INFO(id << " is a test's tag and not a decision");
    CHECK(known.contains(id));
  }
  std::printf("decisions without a test:%s\n", open.empty() ? " none" : open.c_str());
}

TEST_CASE("the vectors are those of the specification, where it lies beside the repository",
          "[tidy]") {
  std::set<std::string> ours;
  for (const auto& file : fs::directory_iterator(root / "tests/vectors")) {
    ours.insert(file.path().filename().string());
  }
  CHECK_FALSE(ours.empty());

  const auto origin = root.parent_path() / "shared/vectors";
  if (!fs::exists(origin)) {
    SUCCEED("no specification beside the repository");
    return;
  }
  std::set<std::string> theirs;
  for (const auto& file : fs::directory_iterator(origin)) {
    if (file.path().extension() == ".json") {
      theirs.insert(file.path().filename().string());
    }
  }
  CHECK(ours == theirs);
  for (const auto& name : theirs) {
    INFO("tests/vectors/" << name << " differs from " << (origin / name).string());
    CHECK(read(root / "tests/vectors" / name) == read(origin / name));
  }
}

TEST_CASE("a disputed vector says which one it is and why", "[tidy]") {
  // <file without .json>/<id of the vector>  <reason>
  for (const auto& [vector, reason] : read_list(root / "tests/disputed_vectors.txt")) {
    INFO(vector);
    CHECK_FALSE(reason.empty());
    CHECK(fs::exists(root / "tests/vectors" / (vector.substr(0, vector.find('/')) + ".json")));
  }
}
