// Commands and replies about credit that is paid, given back, recognised or held, and about its past: written
// and read for the codec's own files. Each pair stands together.
#pragma once

#include "protocol/messages.hpp"

namespace accrue::wire {

[[nodiscard]] command::authorize_grant read(const v1::AuthorizeGrant& m, field_reader& in);
void write(const command::authorize_grant& c, v1::AuthorizeGrant& m);
[[nodiscard]] command::settle_grant read(const v1::SettleGrant& m, field_reader& in);
void write(const command::settle_grant& c, v1::SettleGrant& m);
[[nodiscard]] command::refund_grant read(const v1::RefundGrant& m, field_reader& in);
void write(const command::refund_grant& c, v1::RefundGrant& m);
[[nodiscard]] command::write_off_grant read(const v1::WriteOffGrant& m, field_reader& in);
void write(const command::write_off_grant& c, v1::WriteOffGrant& m);
[[nodiscard]] command::void_grant read(const v1::VoidGrant& m, field_reader& in);
void write(const command::void_grant& c, v1::VoidGrant& m);
[[nodiscard]] command::correct_charge read(const v1::CorrectCharge& m, field_reader& in);
void write(const command::correct_charge& c, v1::CorrectCharge& m);
[[nodiscard]] command::recognize read(const v1::Recognize& m, field_reader& in);
void write(const command::recognize& c, v1::Recognize& m);
[[nodiscard]] command::reserve read(const v1::Reserve& m, field_reader& in);
void write(const command::reserve& c, v1::Reserve& m);
[[nodiscard]] command::settle_reservation read(const v1::SettleReservation& m, field_reader& in);
void write(const command::settle_reservation& c, v1::SettleReservation& m);
[[nodiscard]] command::release_reservation read(const v1::ReleaseReservation& m, field_reader& in);
void write(const command::release_reservation& c, v1::ReleaseReservation& m);
[[nodiscard]] command::extend_reservation read(const v1::ExtendReservation& m, field_reader& in);
void write(const command::extend_reservation& c, v1::ExtendReservation& m);
[[nodiscard]] command::get_grant read(const v1::GetGrant& m, field_reader& in);
void write(const command::get_grant& c, v1::GetGrant& m);
[[nodiscard]] command::list_grants read(const v1::ListGrants& m, field_reader& in);
void write(const command::list_grants& c, v1::ListGrants& m);
[[nodiscard]] command::get_reservation read(const v1::GetReservation& m, field_reader& in);
void write(const command::get_reservation& c, v1::GetReservation& m);
[[nodiscard]] command::list_transactions read(const v1::ListTransactions& m, field_reader& in);
void write(const command::list_transactions& c, v1::ListTransactions& m);

[[nodiscard]] reply::grant_view read(const v1::GrantView& m, field_reader& in);
void write(const reply::grant_view& v, v1::GrantView& m);
[[nodiscard]] reply::grants read(const v1::Grants& m, field_reader& in);
void write(const reply::grants& v, v1::Grants& m);
[[nodiscard]] reply::reservation_view read(const v1::ReservationView& m, field_reader& in);
void write(const reply::reservation_view& v, v1::ReservationView& m);
[[nodiscard]] reply::corrected read(const v1::Corrected& m, field_reader& in);
void write(const reply::corrected& v, v1::Corrected& m);
[[nodiscard]] reply::recognized read(const v1::Recognized& m, field_reader& in);
void write(const reply::recognized& v, v1::Recognized& m);
[[nodiscard]] reply::transactions read(const v1::Transactions& m, field_reader& in);
void write(const reply::transactions& v, v1::Transactions& m);

/// What a balance or a listing looks at.
[[nodiscard]] command::feature_filter read(const v1::FeatureFilter& m, field_reader& in);
void write(const command::feature_filter& f, v1::FeatureFilter& m);

} // namespace accrue::wire
