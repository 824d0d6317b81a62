#pragma once
/// Fields that belong to one connection and do not travel on, RFC 9110 section 7.6.1.
#include <string_view>
#include <vector>

#include "conciergus/http/headers.hpp"

namespace conciergus::http {

/// What the fields of one message keep from travelling on: the known names, and those that its
/// Connection field names. Borrows the headers.
class HopByHop {
 public:
  explicit HopByHop(const Headers& headers);
  bool contains(std::string_view name) const noexcept;

 private:
  std::vector<std::string_view> named_;
};

}  // namespace conciergus::http
