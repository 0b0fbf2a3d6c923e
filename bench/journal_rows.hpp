// The rows that journal_forms writes: which forms there are, made-up units of work with a chain for each
// customer, and one batch of them as array columns or as the bytes of a binary COPY.
#pragma once

#include "persistence/digest.hpp"
#include "persistence/pg.hpp"

#include <array>
#include <cstring>
#include <string>
#include <vector>

namespace accrue::bench {

inline constexpr std::size_t customers = 1000;
inline constexpr std::int16_t lane = 1;
inline constexpr std::int64_t epoch = 7;
enum class key_order { namespace_first, customer_first, customer_only, plain_index };

/// One way to keep and write the journal; the defaults are the starting preference.
struct form {
  std::string name = "row a unit, bytea, UNNEST, PK (ns, cust, seq), chain";
  bool array_body = false;
  key_order keys = key_order::namespace_first;
  bool copy = false;
  bool key_index = false;
  bool chain = true;
  bool short_content = false;
  bool narrow_customer = false;
  bool checks = false;
};

/// One journal row as the engine would have it.
struct row {
  std::int64_t customer;
  std::int64_t seq;
  std::int64_t at;
  pg::uuid key;
  pg::uuid content;
  std::array<std::byte, 40> body;
  std::array<std::int64_t, 4> postings;
  digest hash;
};

/// Makes rows for random customers, each customer with its own sequence and chain.
class row_source {
public:
  explicit row_source(bool chain) : chain_(chain) {}

  const row& next(std::int64_t batch) {
    const std::size_t index = random() % customers;
    customer& owner = customers_[index];
    row_.customer = static_cast<std::int64_t>(index + 1);
    row_.seq = ++owner.seq;
    row_.at = 1'800'000'000'000'000'000 + static_cast<std::int64_t>(++made_ * 1000);
    randomise(row_.key);
    randomise(row_.content);
    const auto amount = static_cast<std::int64_t>(random() % 100'000);
    row_.postings = {row_.customer * 8, -amount, row_.customer * 8 + 1, amount};
    randomise(std::span(row_.body).first<16>());
    if (chain_) {
      row_.hash = hash_.add(owner.hash)
                      .number(row_.customer)
                      .number(row_.seq)
                      .number(row_.at)
                      .number(batch)
                      .add(row_.key)
                      .add(row_.content)
                      .add(row_.body)
                      .finish();
      owner.hash = row_.hash;
    }
    return row_;
  }

private:
  struct customer {
    std::int64_t seq = 0;
    digest hash{};
  };
  std::uint64_t random() noexcept {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }
  void randomise(std::span<std::byte, 16> out) noexcept {
    const std::array words{random(), random()};
    std::memcpy(out.data(), words.data(), 16);
  }
  bool chain_;
  std::uint64_t state_ = 0x9e3779b97f4a7c15;
  std::uint64_t made_ = 0;
  row row_{};
  digester hash_;
  std::vector<customer> customers_ = std::vector<customer>(customers);
};

/// The columns of one batch, for UNNEST or as the bytes of a binary COPY.
struct batch {
  std::int64_t number = 0;
  int rows = 0;
  digest hash{};
  pg::int4_array namespaces, narrow_customers, from, to;
  pg::int8_array customers, seqs, ats, short_contents, postings;
  pg::int2_array kinds;
  pg::uuid_array keys, contents;
  pg::bytea_array hashes, bodies;
  pg::buffer copied;
  pg::parameters check, insert, note;

  void fill(const form& how,
            row_source& source,
            std::int64_t number_now,
            int count,
            const digest& previous) {
    number = number_now;
    rows = count;
    digester all;
    all.add(previous);
    how.copy ? begin_copy() : begin_unnest();
    for (int i = 0; i < count; ++i) {
      const row& it = source.next(number);
      if (how.chain)
        all.add(it.hash);
      how.copy ? copy(it, how) : unnest(it, how, i);
    }
    hash = all.finish();
    if (how.copy) {
      copied.put(std::int16_t{-1});
    } else {
      seal(how);
    }
  }

private:
  void begin_unnest() {
    namespaces.clear(), narrow_customers.clear(), from.clear(), to.clear(), customers.clear(),
        seqs.clear(), ats.clear();
    short_contents.clear(), postings.clear(), kinds.clear(), keys.clear(), contents.clear();
    hashes.clear(), bodies.clear();
  }
  void unnest(const row& it, const form& how, int index) {
    namespaces.push(1);
    if (how.narrow_customer) {
      narrow_customers.push(static_cast<std::int32_t>(it.customer));
    } else {
      customers.push(it.customer);
    }
    seqs.push(it.seq);
    ats.push(it.at);
    kinds.push(1);
    keys.push(it.key);
    if (how.short_content) {
      short_contents.push(std::bit_cast<std::array<std::int64_t, 2>>(it.content)[0]);
    } else {
      contents.push(it.content);
    }
    hashes.push(how.chain ? std::span<const std::byte>(it.hash) : std::span<const std::byte>{});
    if (how.array_body) {
      for (const std::int64_t word : it.postings)
        postings.push(word);
      from.push(index * 4 + 1);
      to.push(index * 4 + 4);
    } else {
      bodies.push(it.body);
    }
  }
  void seal(const form& how) {
    check.clear().int8(number).int2(lane).int8(epoch);
    insert.clear().array(namespaces);
    how.narrow_customer ? insert.array(narrow_customers) : insert.array(customers);
    insert.array(seqs).array(ats).int8(number);
    insert.int2(lane).array(kinds).array(keys);
    how.short_content ? insert.array(short_contents) : insert.array(contents);
    insert.array(hashes);
    if (how.array_body) {
      insert.array(from).array(to).array(postings);
    } else {
      insert.array(bodies);
    }
    note.clear().int2(lane).int8(number).int4(rows).bytea(hash);
  }
  void begin_copy() {
    constexpr std::string_view signature("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
    copied.clear();
    copied.put(std::as_bytes(std::span(signature)));
  }
  template <class Int>
  void field(Int value) {
    copied.put(static_cast<std::int32_t>(sizeof value));
    copied.put(value);
  }
  void field(std::span<const std::byte> value) {
    copied.put(static_cast<std::int32_t>(value.size()));
    copied.put(value);
  }
  void copy(const row& it, const form& how) {
    copied.put(std::int16_t{11});
    field(std::int32_t{1});
    field(it.customer);
    field(it.seq);
    field(it.at);
    field(number);
    field(lane);
    field(std::int16_t{1});
    field(std::span<const std::byte>(it.key));
    field(std::span<const std::byte>(it.content));
    field(how.chain ? std::span<const std::byte>(it.hash) : std::span<const std::byte>{});
    field(std::span<const std::byte>(it.body));
  }
};

} // namespace accrue::bench
