#pragma once
/// How the fields of a head frame its body, RFC 9112 section 6. Internal to the parsers.
#include <string_view>
#include <vector>

#include "conciergus/codec/http1_parser.hpp"

namespace conciergus::codec {

/// What the known fields of one head say, gathered in the pass that parses them.
struct FramingFields {
  unsigned hosts = 0;
  std::string_view host;
  unsigned lengths = 0;
  std::string_view length;
  unsigned codings = 0;
  std::string_view coding;
  std::string_view lookalike;  ///< A name that other programs read as one of the two above.
  std::string_view expect;
  bool upgrade = false;
  bool upgrade_option = false;  ///< `Connection: upgrade`
  bool close_option = false;
  bool keep_alive_option = false;
};

/// Parses field lines from `at` to the empty line that ends `message`. False: see `error`.
bool parse_fields(std::string_view message,
                  const char* at,
                  std::vector<Field>& fields,
                  FramingFields& known,
                  Http1Error& error);

/// Decides the framing, or refuses what is ambiguous. False: see `error`.
bool decide_framing(std::string_view message,
                    const FramingFields& known,
                    unsigned minor_version,
                    Framing& framing,
                    Http1Error& error) noexcept;

}  // namespace conciergus::codec
