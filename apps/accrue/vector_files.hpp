// Files of vectors, as `accrue simulate` and `accrue rate` are given them.
#pragma once

#include "domain/result.hpp"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

namespace accrue::cli {

/// What `read(path)` finds in all of the files, each with an `id`; only that of one id where one is named.
/// Nothing where a file cannot be read or no vector has the id: why is told on stderr.
template <class Vector>
std::optional<std::vector<Vector>>
vectors_of(const std::vector<std::string>& files,
           const std::string& only,
           result<std::vector<Vector>> (*read)(const std::string& path)) {
  std::vector<Vector> all;
  bool readable = true;
  for (const auto& file : files) {
    auto found = read(file);
    if (!found) {
      std::fprintf(stderr, "accrue: %s\n", found.error().text.c_str());
      readable = false;
      continue;
    }
    std::ranges::move(*found, std::back_inserter(all));
  }
  if (!readable)
    return std::nullopt;
  if (!only.empty()) {
    std::erase_if(all, [&](const Vector& v) { return v.id != only; });
    if (all.empty()) {
      std::fprintf(stderr, "accrue: no vector has the id '%s'.\n", only.c_str());
      return std::nullopt;
    }
  }
  return all;
}

} // namespace accrue::cli
