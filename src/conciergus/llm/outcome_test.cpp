#include "conciergus/llm/outcome.hpp"

#include <gtest/gtest.h>

namespace conciergus::llm {
namespace {

using namespace std::chrono_literals;
using Phase = http::CallReport::Phase;

TEST(OutcomeTest, ClassifiesEveryStatus) {
  const std::pair<unsigned, Outcome> rows[] = {{200, Outcome::kOk},
                                               {204, Outcome::kMalformed},
                                               {301, Outcome::kMalformed},
                                               {307, Outcome::kMalformed},
                                               {400, Outcome::kRejected},
                                               {401, Outcome::kKeyRefused},
                                               {402, Outcome::kKeyRefused},
                                               {403, Outcome::kKeyRefused},
                                               {404, Outcome::kRejected},
                                               {408, Outcome::kRequestTimeout},
                                               {409, Outcome::kRequestTimeout},
                                               {413, Outcome::kRejected},
                                               {422, Outcome::kRejected},
                                               {429, Outcome::kRateLimited},
                                               {500, Outcome::kServerError},
                                               {502, Outcome::kServerError},
                                               {503, Outcome::kOverloaded},
                                               {504, Outcome::kServerError},
                                               {529, Outcome::kOverloaded}};
  for (const auto& [status, outcome] : rows)
    EXPECT_EQ(outcome_of_status(status), outcome) << status;
}

TEST(OutcomeTest, ClassifiesErrorsByHowFarTheCallCame) {
  const Error cut(ErrorCode::kUnavailable, "");
  const Error late(ErrorCode::kTimeout, "");
  EXPECT_EQ(outcome_of_error(cut, Phase::kDns), Outcome::kConnectFailed);
  EXPECT_EQ(outcome_of_error(cut, Phase::kTls), Outcome::kTlsFailed);
  EXPECT_EQ(outcome_of_error(cut, Phase::kHead), Outcome::kConnectFailed);
  EXPECT_EQ(outcome_of_error(late, Phase::kConnect), Outcome::kConnectTimeout);
  EXPECT_EQ(outcome_of_error(late, Phase::kHead), Outcome::kSilent);
  EXPECT_EQ(outcome_of_error({ErrorCode::kProtocol, ""}, Phase::kHead), Outcome::kMalformed);
  EXPECT_EQ(outcome_of_error({ErrorCode::kOverloaded, ""}, Phase::kQueue), Outcome::kQueueFull);
  EXPECT_EQ(outcome_of_error({ErrorCode::kCancelled, ""}, Phase::kHead), Outcome::kCancelled);
}

TEST(OutcomeTest, NeverRetriesWhatTheClientMustChange) {
  const Reaction reaction = reaction_to(Outcome::kRejected);
  EXPECT_FALSE(reaction.same_key || reaction.other_key || reaction.next_target);
  EXPECT_EQ(reaction.evidence, Evidence::kNone);
}

TEST(OutcomeTest, RotatesKeysWithoutBlamingTheProvider) {
  EXPECT_TRUE(reaction_to(Outcome::kKeyRefused).other_key);
  EXPECT_FALSE(reaction_to(Outcome::kKeyRefused).same_key);
  EXPECT_EQ(reaction_to(Outcome::kKeyRefused).evidence, Evidence::kNone);
  EXPECT_TRUE(reaction_to(Outcome::kRateLimited).other_key);
  EXPECT_EQ(reaction_to(Outcome::kRateLimited).evidence, Evidence::kCooldown);
}

TEST(OutcomeTest, NeverCountsACancelledClientAgainstTheProvider) {
  EXPECT_EQ(reaction_to(Outcome::kCancelled).evidence, Evidence::kNone);
  EXPECT_FALSE(reaction_to(Outcome::kCancelled).next_target);
}

TEST(OutcomeTest, TellsOfItsOwnKeyAsItsOwnFault) {
  const Failure told{.status = 401, .type = "t", .code = "c", .message = "bad key sk-…"};
  const CallFailure ours = make_call_failure(Outcome::kKeyRefused, told);
  EXPECT_EQ(ours.failure.status, 502u);
  EXPECT_EQ(ours.failure.code, "upstream_auth");
  EXPECT_EQ(ours.should_retry, false);
  const CallFailure theirs = make_call_failure(Outcome::kKeyRefused, told, {}, true);
  EXPECT_EQ(theirs.failure, told);
  EXPECT_FALSE(theirs.should_retry);
}

TEST(OutcomeTest, HandsOnTheProvidersWordsAboutTheRequest) {
  const Failure told{.status = 422, .type = "t", .code = "c", .message = "m"};
  EXPECT_EQ(make_call_failure(Outcome::kRejected, told).failure, told);
  EXPECT_EQ(make_call_failure(Outcome::kServerError, told).failure.code, "upstream_error");
}

TEST(RetryAfterTest, ReadsMillisecondsSecondsAndDates) {
  const Clock::WallTime now{std::chrono::seconds(784'111'777)};  // Sun, 06 Nov 1994 08:49:37 GMT
  EXPECT_EQ(retry_after({{"retry-after-ms", "250"}, {"retry-after", "9"}}, now), 250ms);
  EXPECT_EQ(retry_after({{"x-ms-retry-after-ms", "40"}}, now), 40ms);
  EXPECT_EQ(retry_after({{"retry-after", "2"}}, now), 2s);
  EXPECT_EQ(retry_after({{"retry-after", "Sun, 06 Nov 1994 08:49:47 GMT"}}, now), 10s);
}

TEST(RetryAfterTest, TreatsNonsenseAsAbsent) {
  const Clock::WallTime now{std::chrono::seconds(784'111'777)};
  for (const char* text : {"", "-1", "soon", "1.5", "0", "Sun, 06 Nov 1994 08:49:37 GMT"}) {
    EXPECT_FALSE(retry_after({{"retry-after", text}}, now)) << text;
  }
  EXPECT_EQ(retry_after({{"retry-after", "99999999999"}}, now), 24h);
}

}  // namespace
}  // namespace conciergus::llm
