#include "conciergus/codec/traceparent.hpp"

#include <gtest/gtest.h>

namespace conciergus::codec {
namespace {

const std::string kExample = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST(TraceParentTest, ReadsAndWritesTheExampleOfTheSpecification) {
  const auto parent = parse_traceparent(kExample);
  ASSERT_TRUE(parent);
  EXPECT_EQ(parent->trace_id[0], 0x0a);
  EXPECT_EQ(parent->trace_id[15], 0x9c);
  EXPECT_EQ(parent->span_id[7], 0x31);
  EXPECT_TRUE(parent->is_sampled());
  EXPECT_EQ(format_traceparent(*parent), kExample);
}

TEST(TraceParentTest, RefusesWhatIsMalformed) {
  for (const std::string text : {"",
                                 "00",
                                 "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
                                 "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
                                 "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                                 "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
                                 "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                                 "0g-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                                 "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
                                 "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0100",
                                 "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                                 "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333x-01"}) {
    EXPECT_FALSE(parse_traceparent(text)) << text;
  }
}

TEST(TraceParentTest, ReadsTheKnownPartOfHigherVersions) {
  const std::string later = "cc" + kExample.substr(2);
  EXPECT_EQ(parse_traceparent(later), parse_traceparent(kExample));
  EXPECT_EQ(parse_traceparent(later + "-what-comes"), parse_traceparent(kExample));
  EXPECT_FALSE(parse_traceparent(later + ".what-comes"));
}

TEST(TraceParentTest, StartsAndContinuesTraces) {
  Random random(1);
  const TraceParent first = start_trace(random, true);
  EXPECT_EQ(first.flags, 0x03);
  EXPECT_EQ(parse_traceparent(format_traceparent(first)), first);
  EXPECT_EQ(start_trace(random, false).flags, 0x02);

  const auto received = parse_traceparent(kExample.substr(0, 53) + "fd");
  const TraceParent next = continue_trace(*received, random);
  EXPECT_EQ(next.trace_id, received->trace_id);
  EXPECT_NE(next.span_id, received->span_id);
  EXPECT_TRUE(format_traceparent(next).ends_with("-01")) << "only flags that we know";
}

std::string updated(std::string_view received, std::string_view value = "1") {
  return update_tracestate({&received, 1}, "us", value);
}

TEST(TraceStateTest, MovesOurMemberToTheLeft) {
  EXPECT_EQ(updated("a=1, us=0 ,,b/c@d=x y"), "us=1,a=1,b/c@d=x y");
  EXPECT_EQ(updated(""), "us=1");
  EXPECT_EQ(update_tracestate({}, "", ""), "");
  const std::string_view lines[] = {"a=1", "b=2,c=3"};
  EXPECT_EQ(update_tracestate(lines, "", ""), "a=1,b=2,c=3");
}

TEST(TraceStateTest, VoidsAMalformedList) {
  for (const auto* list :
       {"a", "A=1", "a=", "=1", "a=1,a=2", "a=b=c", "a=\x7f", "_a=1", "a=\xff"}) {
    EXPECT_EQ(updated(list), "us=1") << list;
  }
  EXPECT_EQ(updated("a=1", "not,good"), "a=1");
}

TEST(TraceStateTest, DropsFromTheRight) {
  std::string many;
  for (int i = 0; i < 40; ++i) many += "k" + std::to_string(i) + "=1,";
  const std::string state = updated(many);
  EXPECT_TRUE(state.ends_with(",k30=1")) << state;
  const std::string wide = "a=" + std::string(250, 'x') + ",b=" + std::string(250, 'y') + ",c=1";
  EXPECT_EQ(updated(wide), "us=1," + wide.substr(0, 505));
  EXPECT_EQ(updated("a=" + std::string(250, 'x') + ",b=" + std::string(256, 'y') + ",c=1").size(),
            257u);
}

}  // namespace
}  // namespace conciergus::codec
