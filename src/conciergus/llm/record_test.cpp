#include "conciergus/llm/record.hpp"

#include <gtest/gtest.h>

#include "conciergus/base/random.hpp"
#include "conciergus/llm/record_reader.hpp"
#include "support/run_coro.hpp"

namespace conciergus::llm {
namespace {
using namespace std::chrono_literals;

std::vector<PiecePtr> pieces(std::initializer_list<std::pair<const char*, int>> events) {
  std::vector<PiecePtr> made;
  for (const auto& [bytes, at] : events) {
    auto piece = std::make_shared<Piece>();
    piece->bytes = bytes;
    piece->at = std::chrono::milliseconds(at);
    made.push_back(std::move(piece));
  }
  return made;
}

RecordFacts facts() {
  RecordFacts facts;
  facts.protocol = Protocol::kMessages;
  facts.id = "msg_1";
  facts.model = "claude";
  facts.provider = "anthropic";
  facts.finish = FinishReason::kStop;
  facts.usage.input = 12;
  facts.usage.output = 0;
  facts.cost = 0.0125;
  facts.created = Clock::WallTime(1'800'000'000'123ms);
  return facts;
}

std::string make(std::string_view whole = "{\"whole\":1}") {
  const auto events = pieces({{"event: a\n\n", 100}, {"", 101}, {"event: b\n\n", 250}});
  return make_record(facts(), events, whole).value();
}

TEST(RecordTest, GivesBackWhatWasRecorded) {
  const std::string bytes = make();
  const auto record = RecordView::parse(bytes);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->facts().protocol, Protocol::kMessages);
  EXPECT_TRUE(record->facts().is_stream);
  EXPECT_EQ(record->facts().id, "msg_1");
  EXPECT_EQ(record->facts().model, "claude");
  EXPECT_EQ(record->facts().provider, "anthropic");
  EXPECT_EQ(record->facts().finish, FinishReason::kStop);
  EXPECT_EQ(record->facts().usage, facts().usage) << "0 is not the same as unknown";
  EXPECT_EQ(record->facts().cost, 0.0125);
  EXPECT_EQ(record->facts().created, facts().created);
  EXPECT_EQ(record->whole(), "{\"whole\":1}");
  EXPECT_EQ(record->stream(), "event: a\n\nevent: b\n\n");
  ASSERT_EQ(record->size(), 3u);
  EXPECT_EQ((*record)[0].bytes, "event: a\n\n");
  EXPECT_EQ((*record)[1].bytes, "");
  EXPECT_EQ((*record)[2].bytes, "event: b\n\n");
  EXPECT_EQ((*record)[2].at, 250ms);
}

TEST(RecordTest, KeepsAWholeAnswerWithoutEvents) {
  auto whole = facts();
  whole.is_stream = false;
  const auto bytes = make_record(whole, {}, "{}");
  ASSERT_TRUE(bytes);
  const auto record = RecordView::parse(*bytes);
  ASSERT_TRUE(record);
  EXPECT_FALSE(record->facts().is_stream);
  EXPECT_EQ(record->size(), 0u);
  EXPECT_EQ(record->whole(), "{}");
}

TEST(RecordTest, ReadsInPlace) {
  const std::string bytes = make();
  const auto record = RecordView::parse(bytes);
  ASSERT_TRUE(record);
  EXPECT_GE(record->stream().data(), bytes.data());
  EXPECT_LT(record->stream().data(), bytes.data() + bytes.size());
}

TEST(RecordTest, RefusesWhatIsLargerThanItsLimit) {
  const auto refused = make_record(facts(), {}, std::string(1'000, 'x'), 1'000);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kTooLarge);
  EXPECT_FALSE(make_record(facts(), {}, std::string(kMaxRecordBytes, 'x')));
}

TEST(RecordTest, SeesEveryChangedByteAndEveryCut) {
  const std::string bytes = make();
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (const int bit : {0, 3, 7}) {
      std::string changed = bytes;
      changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
      EXPECT_FALSE(RecordView::parse(changed)) << "byte " << at << " bit " << bit;
    }
    EXPECT_FALSE(RecordView::parse(std::string_view(bytes).substr(0, at)));
  }
  EXPECT_FALSE(RecordView::parse(bytes + "x"));
}

TEST(RecordTest, RefusesAnotherFormatVersion) {
  std::string bytes = make();
  ++bytes[4];
  const auto refused = RecordView::parse(bytes);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().detail(), "record of another format version");
}

TEST(RecordReaderTest, ReplaysAllEventsAtOnceWithoutPacing) {
  const auto value = cache::Value::make("key", make());
  run_coro([&]() -> Task<void> {
    RecordReader reader(value, RecordView::parse(value.bytes()).value());
    EXPECT_EQ(reader.size(), 20u);
    const auto all = co_await reader.read();
    EXPECT_EQ(all.value(), "event: a\n\nevent: b\n\n");
    const auto end = co_await reader.read();
    EXPECT_EQ(end.value(), "");
  });
}

TEST(RecordReaderTest, ReplaysOneByOneInTheRecordedRhythm) {
  const auto value = cache::Value::make("key", make());
  run_coro([&]() -> Task<void> {
    RecordReader reader(value, RecordView::parse(value.bytes()).value(), 0.01);
    const auto began = Clock::Instant::clock::now();
    const auto first = co_await reader.read();
    EXPECT_EQ(first.value(), "event: a\n\n");
    EXPECT_GE(Clock::Instant::clock::now() - began, 1ms);
    const auto second = co_await reader.read();
    EXPECT_EQ(second.value(), "event: b\n\n") << "an empty piece would be taken for the end";
    EXPECT_GE(Clock::Instant::clock::now() - began, 2'500us);
    const auto end = co_await reader.read();
    EXPECT_EQ(end.value(), "");
  });
}

}  // namespace
}  // namespace conciergus::llm
