// Reads of a customer's history: units of its journal, and blocks of its statement. Activation is in pg_store.cpp.
#include "persistence/pg_rows.hpp"
#include "persistence/pg_store.hpp"

namespace accrue {

stored_row row_at(const pg::result& r, int i) {
  stored_row row;
  row.sequence = sequence(static_cast<std::uint64_t>(r.i64(i, 0)));
  row.at = instant{r.i64(i, 1)};
  row.kind = r.i16(i, 2);
  row.key = r.uuid(i, 3);
  row.content = r.uuid(i, 4);
  std::ranges::copy(r.bytes(i, 5), row.hash.begin());
  row.body.assign(r.bytes(i, 6).begin(), r.bytes(i, 6).end());
  return row;
}

std::shared_ptr<pg::parameters> owned_by(customer_key k) {
  auto p = std::make_shared<pg::parameters>();
  p->int4(static_cast<std::int32_t>(k.space.value))
      .int8(static_cast<std::int64_t>(k.customer.value));
  return p;
}

namespace {

/// An owner's numbers, and the parameters that borrow them.
struct numbers_column {
  pg::int8_array numbers;
  pg::parameters all;
};
std::shared_ptr<pg::parameters> some_of(customer_key k, std::span<const sequence> numbers) {
  auto p = std::make_shared<numbers_column>();
  for (const auto& n : numbers)
    p->numbers.push(static_cast<std::int64_t>(n.value));
  p->all.int4(static_cast<std::int32_t>(k.space.value))
      .int8(static_cast<std::int64_t>(k.customer.value))
      .array(p->numbers);
  return {p, &p->all};
}

// (last_sequence, bytes)
template <class Part>
Part part_at(const pg::result& r, int i) {
  const auto b = r.bytes(i, 1);
  return {sequence(static_cast<std::uint64_t>(r.i64(i, 0))), {b.begin(), b.end()}};
}

// Answers with what is made of each row of the only statement.
template <class T, class Make>
auto each_of(stored<std::vector<T>> done, Make make) {
  return [done = std::move(done), make](result<std::vector<pg::result>> r) {
    if (!r)
      return done(tl::unexpected(r.error()));
    std::vector<T> all;
    for (int i = 0; i < r->front().rows(); ++i)
      all.push_back(make(r->front(), i));
    done(std::move(all));
  };
}

} // namespace

std::vector<pg::statement> pg_store::history_statements() {
  const std::string columns = row_columns;
  return {
      {"row",
       "select " + columns +
           " from journal where namespace = $1::int4 and customer = $2::int8 and sequence = "
           "$3::int8"},
      {"page",
       "select " + columns +
           " from journal where namespace = $1::int4 and customer = $2::int8 and sequence > "
           "$3::int8 order by sequence limit $4::int4"},
      {"sums",
       "select last_sequence, sums from statement_block where namespace = $1::int4 and customer = "
       "$2::int8 order by last_sequence"},
      // One look into the index for each number, whatever the planner believes: `offset 0` keeps the lateral
      // query by itself.
      {"units",
       "select j.* from unnest($3::int8[]) as u(s) cross join lateral (select " + columns +
           " from journal where namespace = $1::int4 and customer = $2::int8 and sequence = u.s "
           "offset 0) as j"},
      {"blocks",
       "select b.* from unnest($3::int8[]) as u(s) cross join lateral (select last_sequence, items "
       "from statement_block where namespace = $1::int4 and customer = $2::int8 and last_sequence "
       "= "
       "u.s offset 0) as b"},
  };
}

void pg_store::load_row(customer_key owner, sequence s, stored<stored_row> done) {
  auto p = owned_by(owner);
  p->int8(static_cast<std::int64_t>(s.value));
  reader_.read(read_cause::client,
               {{"row", p}},
               [done = std::move(done)](result<std::vector<pg::result>> r) {
                 if (!r)
                   return done(tl::unexpected(r.error()));
                 if (r->front().rows() == 0)
                   return done(refuse(errc::not_found, "no such unit"));
                 done(row_at(r->front(), 0));
               });
}

void pg_store::load_rows(customer_key owner,
                         sequence after,
                         std::uint32_t limit,
                         stored<std::vector<stored_row>> done) {
  auto p = owned_by(owner);
  p->int8(static_cast<std::int64_t>(after.value)).int4(static_cast<std::int32_t>(limit));
  reader_.read(read_cause::client, {{"page", p}}, each_of<stored_row>(std::move(done), row_at));
}

void pg_store::load_units(customer_key owner,
                          std::vector<sequence> units,
                          stored<std::vector<stored_row>> done) {
  reader_.read(read_cause::client,
               {{"units", some_of(owner, units)}},
               each_of<stored_row>(std::move(done), row_at));
}

void pg_store::load_sums(customer_key owner, stored<std::vector<stored_sums>> done) {
  reader_.read(read_cause::client,
               {{"sums", owned_by(owner)}},
               each_of<stored_sums>(std::move(done), part_at<stored_sums>));
}

void pg_store::load_blocks(customer_key owner,
                           std::vector<sequence> blocks,
                           stored<std::vector<stored_items>> done) {
  reader_.read(read_cause::client,
               {{"blocks", some_of(owner, blocks)}},
               each_of<stored_items>(std::move(done), part_at<stored_items>));
}

} // namespace accrue
