#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conciergus/observe/log.hpp"
#include "conciergus/observe/metrics.hpp"

namespace conciergus::observe {
namespace {
using testing::HasSubstr;

TEST(RegistryTest, RendersFamiliesWithLabelsAndCumulativeBuckets) {
  Registry registry;
  registry.counter("conciergus_a_total", "As.", {{"route", "x\"y"}}).add(3);
  registry.gauge("conciergus_b", "Bs.").set(-2);
  const double bounds[] = {0.1, 1};
  auto& histogram = registry.histogram("conciergus_c_seconds", "Cs.", bounds);
  histogram.observe(0.1);
  histogram.observe(0.5);
  histogram.observe(7);
  const auto text = registry.render(Registry::Format::kPrometheus);
  EXPECT_THAT(
      text,
      HasSubstr("# TYPE conciergus_a_total counter\nconciergus_a_total{route=\"x\\\"y\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("conciergus_b -2\n"));
  EXPECT_THAT(text,
              HasSubstr("conciergus_c_seconds_bucket{le=\"0.1\"} 1\n"
                        "conciergus_c_seconds_bucket{le=\"1\"} 2\n"
                        "conciergus_c_seconds_bucket{le=\"+Inf\"} 3\n"
                        "conciergus_c_seconds_sum 7.6\nconciergus_c_seconds_count 3\n"));
  const auto open = registry.render(Registry::Format::kOpenMetrics);
  EXPECT_THAT(open, HasSubstr("# TYPE conciergus_a counter\nconciergus_a_total{"));
  EXPECT_TRUE(open.ends_with("# EOF\n"));
}

TEST(RegistryTest, ReturnsTheSameMetricForTheSameNameAndLabels) {
  Registry registry;
  EXPECT_EQ(&registry.counter("x_total", "", {{"a", "1"}}),
            &registry.counter("x_total", "", {{"a", "1"}}));
  EXPECT_NE(&registry.counter("x_total", "", {{"a", "1"}}),
            &registry.counter("x_total", "", {{"a", "2"}}));
}

TEST(RegistryTest, SharesOneSeriesOnceANameHasTooManyLabelSets) {
  Registry registry(2);
  registry.counter("x_total", "", {{"a", "1"}});
  registry.counter("x_total", "", {{"a", "2"}});
  EXPECT_EQ(&registry.counter("x_total", "", {{"a", "3"}}),
            &registry.counter("x_total", "", {{"a", "4"}}));
  EXPECT_THAT(registry.render(Registry::Format::kPrometheus), HasSubstr("a=\"other\""));
}

TEST(LogTest, WritesJsonLinesWithEscapedFields) {
  std::string line;
  Log log(LogLevel::kInfo, LogFormat::kJson, [&](std::string_view text) { line = text; });
  log.warn("cache.put_failed",
           Error(ErrorCode::kTimeout, "slow \"disk\"\n"),
           {{"bytes", 12}, {"ok", false}});
  EXPECT_THAT(line, HasSubstr(R"("level":"warn","event":"cache.put_failed","code":"timeout")"));
  EXPECT_THAT(line, HasSubstr(R"("error":"slow \"disk\"\n","bytes":12,"ok":false})"));
}

TEST(LogTest, DropsWhatIsBelowItsLevelAndCountsRepeats) {
  unsigned lines = 0;
  Log log(LogLevel::kInfo, LogFormat::kText, [&](std::string_view) { ++lines; });
  log.debug("quiet");
  EXPECT_EQ(lines, 0u);
  for (unsigned i = 0; i < 5 * Log::kBurst; ++i) log.info("loud");
  EXPECT_GE(lines, Log::kBurst);
  EXPECT_LE(lines, 2 * Log::kBurst);  // at most two seconds were touched
}

}  // namespace
}  // namespace conciergus::observe
