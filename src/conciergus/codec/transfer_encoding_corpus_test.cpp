/// Malformed spellings of one field, each of which some pair of servers has read differently.
/// Whatever our parser accepts must be read as RFC 9112 reads it; the rest must be refused.
#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "conciergus/codec/http1_parser.hpp"

namespace conciergus::codec {
namespace {

enum class Meaning { kRefused, kChunked, kUnrelated };

struct Form {
  std::string line;  ///< With its line end.
  Meaning meaning;
};

std::vector<Form> named_forms() {
  using enum Meaning;
  return {
      {" Transfer-Encoding: chunked\r\n", kRefused},
      {"Transfer-Encoding:\tchunked\r\n", kChunked},
      {"Transfer-Encoding\t: chunked\r\n", kRefused},
      {"Transfer Encoding: chunked\r\n", kRefused},
      {"Transfer_Encoding: chunked\r\n", kRefused},
      {"Transfer-Encoding:chunked\r\n", kChunked},
      {"Transfer-Encoding:  chunked\r\n", kChunked},
      {"Transfer-Encoding:\vchunked\r\n", kRefused},
      {"Transfer-Encoding: chunked, cow\r\n", kRefused},
      {"Transfer-Encoding: cow, chunked\r\n", kRefused},
      {"Transfer-Encoding: cow\r\nTransfer-Encoding: chunked\r\n", kRefused},
      {"Transfer-Encoding: cow chunked bar\r\n", kRefused},
      {"Transfer-Encoding:\n chunked\r\n", kRefused},
      {"Transfer-Encoding: \"chunked\"\r\n", kRefused},
      {"Transfer-Encoding: 'chunked'\r\n", kRefused},
      {"Transfer-Encoding: chunk\r\n", kRefused},
      {"tRANSFER-ENCODING: cHuNkEd\r\n", kChunked},
      {"TRANSFER-ENCODING: CHUNKED\r\n", kChunked},
      {"Transfer-Encoding: chunked\r\r\n", kRefused},
      {"Transfer-Encoding: chunked\t\r\n", kChunked},
      {"Transfer\r-Encoding: chunked\r\n", kRefused},
      {"X:X\rTransfer-Encoding: chunked\r\n", kRefused},
      {"X:X\nTransfer-Encoding: chunked\r\n", kRefused},
      {"Transfer-Encoding: \xff"
       "chunked\r\n",
       kRefused},
      {"Transfer-Encoding: \x96"
       "chunked\r\n",
       kRefused},
      {"Transfer-Encoding: \x82"
       "chunked\r\n",
       kRefused},
      {"Transfer-Encoding\xff: chunked\r\n", kRefused},
      {"Content-Encoding: chunked\r\n", kUnrelated},
  };
}

std::vector<Form> forms_with_each_odd_byte() {
  std::vector<Form> forms;
  for (int byte = 0x01; byte <= 0xff; ++byte) {
    if (byte == 0x20) byte = 0x7f;
    const std::string c(1, static_cast<char>(byte));
    const Meaning around_value = byte == '\t' ? Meaning::kChunked : Meaning::kRefused;
    forms.push_back({c + "Transfer-Encoding: chunked\r\n", Meaning::kRefused});
    forms.push_back({"Transfer-Encoding" + c + ": chunked\r\n", Meaning::kRefused});
    forms.push_back({"Transfer-Encoding:" + c + "chunked\r\n", around_value});
    forms.push_back({"Transfer-Encoding: chunked" + c + "\r\n", around_value});
  }
  return forms;
}

std::vector<Form> all_forms() {
  auto forms = named_forms();
  std::ranges::copy(forms_with_each_odd_byte(), std::back_inserter(forms));
  return forms;
}

struct Outcome {
  HeadStatus status;
  unsigned refusal;
  bool chunked;
  std::optional<std::uint64_t> content_length;
};

Outcome send(const std::string& fields) {
  RequestParser parser;
  const std::string text = "POST / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n0\r\n\r\n";
  const HeadStatus status = parser.parse(text);
  const bool is_error = status == HeadStatus::kError;
  return {status,
          is_error ? parser.error().status : 0,
          parser.head().chunked,
          parser.head().content_length};
}

TEST(TransferEncodingCorpusTest, HasAllItsForms) {
  EXPECT_EQ(named_forms().size(), 28u);
  EXPECT_EQ(all_forms().size(), 668u);
}

TEST(TransferEncodingCorpusTest, ReadsEachFormAsTheStandardDoesOrRefusesIt) {
  for (const auto& [line, meaning] : all_forms()) {
    const Outcome outcome = send(line);
    if (meaning == Meaning::kRefused) {
      EXPECT_EQ(outcome.status, HeadStatus::kError) << line;
      EXPECT_TRUE(outcome.refusal == 400 || outcome.refusal == 501) << line;
    } else {
      EXPECT_EQ(outcome.status, HeadStatus::kComplete) << line;
      EXPECT_EQ(outcome.chunked, meaning == Meaning::kChunked) << line;
    }
  }
}

/// CL.TE and TE.CL: nothing that some server could take for Transfer-Encoding passes beside a
/// length.
TEST(TransferEncodingCorpusTest, RefusesEachFormBesideAContentLength) {
  for (const auto& [line, meaning] : all_forms()) {
    for (const std::string& fields :
         {"Content-Length: 6\r\n" + line, line + "Content-Length: 6\r\n"}) {
      const Outcome outcome = send(fields);
      if (meaning == Meaning::kUnrelated) {
        EXPECT_EQ(outcome.content_length, 6u) << fields;
      } else {
        EXPECT_EQ(outcome.status, HeadStatus::kError) << fields;
      }
    }
  }
}

TEST(TransferEncodingCorpusTest, RefusesEachPairOfAGoodAndABadLine) {
  const std::string good = "Transfer-Encoding: chunked\r\n";
  std::size_t pairs = 0;
  for (const auto& [line, meaning] : all_forms()) {
    if (meaning == Meaning::kUnrelated) continue;
    for (const std::string& fields : {good + line, line + good}) {
      EXPECT_EQ(send(fields).status, HeadStatus::kError) << fields;
      ++pairs;
    }
  }
  EXPECT_GT(pairs, 1000u);
}

}  // namespace
}  // namespace conciergus::codec
