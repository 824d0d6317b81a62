#pragma once
/// How a 101 response carries its connection: as a body that has nothing to read. Internal to the
/// client; callers use take_upgraded().
#include "conciergus/http/client.hpp"

namespace conciergus::http {

class UpgradedBody final : public BodyReader {
 public:
  explicit UpgradedBody(Upgraded upgraded) : upgraded_(std::move(upgraded)) {}

  Task<Result<std::string_view>> read() override { co_return std::string_view(); }
  Upgraded take() { return std::move(upgraded_); }

 private:
  Upgraded upgraded_;
};

}  // namespace conciergus::http
