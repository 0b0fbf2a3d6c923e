// Commands, receipts and errors as protobuf messages, for the codec's own files: the layer between
// single fields (fields.hpp) and frames (codec.hpp).
#pragma once

#include "accrue/v1/frame.pb.h"
#include "protocol/codec.hpp"
#include "protocol/fields.hpp"

namespace accrue::wire {

/// A command as a server accepts it; errc as for parse_client_frame's single commands.
[[nodiscard]] result<call> read_call(const v1::Command& m);
/// Overwrites the whole message; parts of the same kind keep their memory.
void write_call(const call& c, v1::Command& m);

/// A catalog inside a command or a reply; what is wrong is told with its place, "plans[0].phases[1].…",
/// behind `field` where that is not empty.
[[nodiscard]] product::catalog
read_catalog(const v1::Catalog& m, const std::string& field, field_reader& in);
void write_catalog(const product::catalog& c, v1::Catalog& m);

void write_receipt(const reply::receipt& r, v1::Receipt& m);
void write_receipt(const operator_reply& r, v1::Receipt& m);
/// errc: validation; unsupported_operation for a body or enum value of a newer server.
[[nodiscard]] result<std::variant<reply::receipt, operator_reply>>
read_receipt(const v1::Receipt& m);

} // namespace accrue::wire
