/// The parsers on the path of every request.
#include <string>

#include <benchmark/benchmark.h>

#include "conciergus/codec/http1_body.hpp"
#include "conciergus/codec/http1_parser.hpp"
#include "conciergus/codec/http1_writer.hpp"
#include "conciergus/codec/http_date.hpp"
#include "conciergus/codec/sse.hpp"

namespace conciergus::codec {
namespace {

const std::string kBrowserRequest =
    "GET /_next/static/chunks/app/page-5f2c1e0b7a.js?dpl=abc HTTP/1.1\r\n"
    "Host: chat.example.org\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.0.0 Safari/537.36\r\n"
    "Accept: text/html,application/xhtml+xml,image/avif,image/webp,*/*;q=0.8\r\n"
    "Accept-Language: en-GB,en;q=0.7,de;q=0.3\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Referer: https://chat.example.org/\r\n"
    "Cookie: session=0af7651916cd43dd8448eb211c80319c; theme=dark\r\n"
    "Connection: keep-alive\r\n"
    "\r\n";

void request_head(benchmark::State& state) {
  RequestParser parser;
  for (auto _ : state) {
    parser.reset();
    benchmark::DoNotOptimize(parser.parse(kBrowserRequest));
    benchmark::DoNotOptimize(parser.head().fields.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kBrowserRequest.size()));
}
BENCHMARK(request_head);

/// The same head in reads of `range` bytes: the price of arriving slowly.
void request_head_in_pieces(benchmark::State& state) {
  const auto piece = static_cast<std::size_t>(state.range(0));
  RequestParser parser;
  const std::string_view text = kBrowserRequest;
  for (auto _ : state) {
    parser.reset();
    for (std::size_t size = piece;; size += piece) {
      if (parser.parse(text.substr(0, size)) == HeadStatus::kComplete) break;
    }
  }
}
BENCHMARK(request_head_in_pieces)->Arg(1)->Arg(64);

void response_head_written(benchmark::State& state) {
  std::string out;
  for (auto _ : state) {
    out.clear();
    HeadWriter writer(out);
    writer.status(200)
        .field("content-type", "application/json")
        .field("content-length", 1234u)
        .field("cache-control", "no-cache, no-transform")
        .field("date", "Sun, 06 Nov 1994 08:49:37 GMT");
    benchmark::DoNotOptimize(writer.finish());
  }
}
BENCHMARK(response_head_written);

void chunked_body(benchmark::State& state) {
  std::string text;
  ChunkHeadBuffer buffer;
  for (int i = 0; i < 64; ++i) {
    text.append(format_chunk_head(buffer, 100)).append(100, 'x').append(kChunkEnd);
  }
  text += kLastChunk;
  for (auto _ : state) {
    ChunkedDecoder decoder;
    std::string_view input = text;
    for (;;) {
      const BodyStep step = decoder.decode(input);
      input.remove_prefix(step.consumed);
      if (step.status != BodyStatus::kNeedMore) break;
    }
  }
  state.SetItemsProcessed(state.iterations() * 64);
}
BENCHMARK(chunked_body);

void sse_events(benchmark::State& state) {
  std::string text;
  for (int i = 0; i < 64; ++i) {
    text +=
        "data: "
        "{\"id\":\"chatcmpl-123\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,"
        "\"delta\":{\"content\":\" token\"},\"finish_reason\":null}]}\n\n";
  }
  SseParser parser;
  for (auto _ : state) {
    parser.push(text);
    for (;;) {
      const auto event = parser.next();
      if (!event || !*event) break;
      benchmark::DoNotOptimize((*event)->data.data());
    }
  }
  state.SetItemsProcessed(state.iterations() * 64);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}
BENCHMARK(sse_events);

void http_date_written(benchmark::State& state) {
  HttpDateBuffer buffer;
  auto time = std::chrono::system_clock::time_point(std::chrono::seconds(1'700'000'000));
  for (auto _ : state)
    benchmark::DoNotOptimize(format_http_date(buffer, time += std::chrono::seconds(1)));
}
BENCHMARK(http_date_written);

}  // namespace
}  // namespace conciergus::codec
