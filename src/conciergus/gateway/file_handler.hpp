#pragma once
/// Serves the files of a folder: `--root DIR`.
#include <string>

#include "conciergus/http/handler.hpp"

namespace conciergus::gateway {

/// Any thread; every access to the file system happens on the offload pool. A folder's index.html
/// stands for the folder. Nothing outside of the root is served, symbolic links included, and no
/// path with a segment that begins with a dot.
class FileHandler final : public http::Handler {
 public:
  /// kConfig if `root` is not a folder that can be read.
  static Result<std::shared_ptr<const FileHandler>> open(const std::string& root);

  /// Files up to kWhole are read in one step and have a strong validator by content; larger ones
  /// are streamed, with a weak one by size and time.
  Task<Result<http::Response>> handle(http::RequestContext& context,
                                      http::Request& request) const override;

  static constexpr std::size_t kWhole = 4 << 20;

 private:
  explicit FileHandler(std::string root) : root_(std::move(root)) {}
  const std::string root_;  // absolute, without links
};

}  // namespace conciergus::gateway
