#include <array>
#include <filesystem>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "conciergus/net/connection_limiter.hpp"
#include "conciergus/net/listen_socket.hpp"
#include "conciergus/net/tcp_stream.hpp"
#include "conciergus/runtime/gate.hpp"
#include "support/run_coro.hpp"

namespace conciergus::net {
namespace {

TEST(EndpointTest, WritesAddressesAsUrlsHaveThem) {
  EXPECT_EQ((Endpoint{"127.0.0.1", 80}.to_string()), "127.0.0.1:80");
  EXPECT_EQ((Endpoint{"::1", 80}.to_string()), "[::1]:80");
  EXPECT_EQ((Endpoint{"/run/x.sock", 0}.to_string()), "/run/x.sock");
}

TEST(ListenOnTest, GivesAllShardsThePortThatTheFirstWasGiven) {
  const auto sockets = listen_on({"127.0.0.1", 0}, 3);
  ASSERT_TRUE(sockets.has_value()) << sockets.error().to_string();
  ASSERT_EQ(sockets->size(), 3u);
  EXPECT_NE(sockets->front().local().port, 0);
  for (const auto& socket : *sockets) {
    EXPECT_EQ(socket.local().port, sockets->front().local().port);
  }
}

TEST(ListenOnTest, RefusesAnAddressOnWhichSomebodyListens) {
  const auto first = listen_on({"127.0.0.1", 0}, 1);
  ASSERT_TRUE(first.has_value());
  const auto second = listen_on({"127.0.0.1", first->front().local().port}, 1);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code(), ErrorCode::kConfig);
  EXPECT_THAT(second.error().detail(), testing::HasSubstr("in use"));
}

TEST(ListenOnTest, RefusesWhatIsNoAddress) {
  for (const char* host : {"", "localhost", "1.2.3", "unix:"}) {
    EXPECT_FALSE(listen_on({host, 0}, 1).has_value()) << host;
  }
}

TEST(ListenOnTest, TakesBothFamiliesOnAnyAddress) {
  const auto any = listen_on({"*", 0}, 2);
  ASSERT_TRUE(any.has_value()) << any.error().to_string();
  asio::io_context io;
  asio::ip::tcp::socket client(io);
  client.connect({asio::ip::address_v4::loopback(), any->front().local().port});
}

TEST(ListenOnTest, ReplacesAUnixSocketThatWasLeftBehind) {
  const auto path = std::filesystem::temp_directory_path() /
                    ("conciergus_net_test_" + std::to_string(::getpid()));
  const ListenAddress address{"unix:" + path.string()};
  {
    const auto first = listen_on(address, 2);
    ASSERT_TRUE(first.has_value()) << first.error().to_string();
    EXPECT_FALSE(listen_on(address, 1).has_value());  // somebody listens
  }
  EXPECT_TRUE(listen_on(address, 1).has_value());
  std::filesystem::remove(path);
}

TEST(ConnectionLimiterTest, RefusesBeyondTheLimitInAllUntilAPlaceIsGivenBack) {
  ConnectionLimiter limiter({.max_connections = 1});
  const Endpoint peer{"127.0.0.1", 1, true};
  {
    const auto place = limiter.enter(peer);
    ASSERT_TRUE(place.has_value());
    EXPECT_EQ(limiter.enter(peer).error(), ConnectionLimiter::Refusal::kTotal);
  }
  EXPECT_EQ(limiter.size(), 0u);
  EXPECT_TRUE(limiter.enter(peer).has_value());
}

TEST(ConnectionLimiterTest, CountsAnIpv6AddressByItsNetwork) {
  ConnectionLimiter limiter({.max_per_address = 1});
  const auto first = limiter.enter({"2001:db8:0:1::1", 1});
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(limiter.enter({"2001:db8:0:1::2", 1}).error(), ConnectionLimiter::Refusal::kAddress);
  EXPECT_TRUE(limiter.enter({"2001:db8:0:2::1", 1}).has_value());
  EXPECT_TRUE(limiter.enter({"10.0.0.1", 1}).has_value());
  EXPECT_EQ(limiter.size(), 1u);  // what was refused holds no place
}

TEST(TcpStreamTest, WritesMoreThanTheSocketTakesAtOnce) {
  run_coro([]() -> Task<void> {
    asio::local::stream_protocol::socket a(co_await asio::this_coro::executor);
    asio::local::stream_protocol::socket b(co_await asio::this_coro::executor);
    asio::local::connect_pair(a, b);
    TcpStream left(std::move(a));
    TcpStream right(std::move(b));

    runtime::Gate gate(co_await asio::this_coro::executor, [](auto, const auto&) {});
    const std::string head = "head";
    const std::string body(4'000'000, 'x');
    const auto send =
        [](TcpStream& stream, const std::string& first, const std::string& second) -> Task<void> {
      const asio::const_buffer buffers[] = {asio::buffer(first), asio::buffer(second)};
      EXPECT_TRUE((co_await stream.write(buffers)).has_value());
      stream.close();
    };
    gate.spawn("send", send(left, head, body));

    std::string all;
    std::array<char, 65536> piece;
    for (;;) {
      const auto size = co_await right.read_some(piece);
      CONCIERGUS_CO_ASSERT(size.has_value());
      if (*size == 0) break;
      all.append(piece.data(), *size);
    }
    EXPECT_TRUE(all == head + body);
    co_await gate.stop();
  });
}

TEST(TcpStreamTest, SeesThatThePeerHasClosedBehindUnreadBytes) {
  run_coro([]() -> Task<void> {
    asio::local::stream_protocol::socket a(co_await asio::this_coro::executor);
    asio::local::stream_protocol::socket b(co_await asio::this_coro::executor);
    asio::local::connect_pair(a, b);
    TcpStream left(std::move(a));
    TcpStream right(std::move(b));
    EXPECT_TRUE(left.peer().is_loopback);
    EXPECT_FALSE(left.has_unread());
    EXPECT_FALSE(left.peer_has_closed());
    const asio::const_buffer hello[] = {asio::buffer("hello", 5)};
    EXPECT_TRUE((co_await right.write(hello)).has_value());
    EXPECT_TRUE(left.has_unread());
    EXPECT_FALSE(left.peer_has_closed());
    right.close();
    EXPECT_TRUE(left.peer_has_closed());
  });
}

}  // namespace
}  // namespace conciergus::net
