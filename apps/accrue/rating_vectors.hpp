// Rating vectors: files of inputs with what has to come out, run through the domain's own functions.
// The command line around them is in rate.cpp.
#pragma once

#include "domain/result.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace accrue::cli {

/// One vector, still as JSON; its kind is one that `run_vector` knows.
struct rating_vector {
  std::string id;
  std::string kind;
  std::string place; ///< "rating.json: vectors[3]"
  nlohmann::json fields;
};

/// The vectors of a file. errc: validation, with the place, for what is no such file, an unknown kind
/// or field, and an id that stands twice.
[[nodiscard]] result<std::vector<rating_vector>> read_rating_vectors(const std::string& path);

/// What rating makes of a vector: the fields that it expects, under the names it gives them, and
/// those fields themselves as far as they say anything.
struct vector_outcome {
  nlohmann::json expected;
  nlohmann::json got;
};

/// errc: validation, with the place, where the input cannot be read.
[[nodiscard]] result<vector_outcome> run_vector(const rating_vector& v);

} // namespace accrue::cli
