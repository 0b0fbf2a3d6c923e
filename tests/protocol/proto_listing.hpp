// The fields and enum values of .proto files as sorted lines, read from their text. Knows the little
// of the language that version 1 uses; what it does not know makes it fail.
#pragma once

#include <catch2/catch_test_macros.hpp>

#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace accrue::wire {

inline std::string read_source(const std::string& path) {
  std::ifstream in(std::filesystem::path(ACCRUE_SOURCE_DIR) / path, std::ios::binary);
  REQUIRE(in);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// "Consume 1 string id", "Command 12 Consume consume, in body", "Error.Code 1 validation".
inline std::set<std::string> proto_listing(const std::string& folder) {
  const std::regex comment("//[^\n]*");
  const std::regex opening("(message|enum|oneof) (\\w+) ?");
  const std::regex field("(optional |repeated )?([\\w.]+) (\\w+) = (\\d+)");
  const std::regex value("(\\w+) = (\\d+)");
  const std::regex ignored("(syntax|package|import|option) .*");
  struct scope {
    std::string kind;
    std::string name;
  };

  std::set<std::string> lines;
  for (const auto& file :
       std::filesystem::directory_iterator(std::filesystem::path(ACCRUE_SOURCE_DIR) / folder)) {
    const auto source = read_source(folder + "/" + file.path().filename().string());
    std::vector<scope> scopes;
    const auto owner = [&] {
      std::string path;
      for (const auto& s : scopes)
        if (s.kind != "oneof")
          path += (path.empty() ? "" : ".") + s.name;
      return path;
    };
    std::string statement;
    for (const char c : std::regex_replace(source, comment, "")) {
      if (c == '{' || c == '}' || c == ';') {
        std::smatch m;
        INFO(file.path().filename().string() << ": " << statement);
        if (c == '}') {
          REQUIRE(statement.empty());
          REQUIRE_FALSE(scopes.empty());
          scopes.pop_back();
        } else if (c == '{') {
          REQUIRE(std::regex_match(statement, m, opening));
          scopes.push_back({m[1], m[2]});
        } else if (!std::regex_match(statement, ignored)) {
          REQUIRE_FALSE(scopes.empty());
          const bool in_enum = scopes.back().kind == "enum";
          REQUIRE(std::regex_match(statement, m, in_enum ? value : field));
          const auto line =
              in_enum
                  ? owner() + " " + m[2].str() + " " + m[1].str()
                  : owner() + " " + m[4].str() + " " + m[1].str() + m[2].str() + " " + m[3].str() +
                        (scopes.back().kind == "oneof" ? ", in " + scopes.back().name : "");
          CHECK(lines.insert(line).second);
        }
        statement.clear();
      } else if (!std::isspace(static_cast<unsigned char>(c))) {
        statement += c;
      } else if (!statement.empty() && statement.back() != ' ') {
        statement += ' ';
      }
    }
    REQUIRE(scopes.empty());
  }
  return lines;
}

} // namespace accrue::wire
