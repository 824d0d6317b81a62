#include "conciergus/gateway/process_metrics.hpp"

#include <cstdio>
#include <memory>

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

namespace conciergus::gateway {
namespace {

std::int64_t resident_bytes() {
  long size = 0;
  long resident = 0;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen("/proc/self/statm", "r"),
                                                             &std::fclose);
  if (!file || std::fscanf(file.get(), "%ld %ld", &size, &resident) != 2) return 0;  // NOLINT
  return std::int64_t{resident} * ::sysconf(_SC_PAGESIZE);
}

std::int64_t open_descriptors() {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc/self/fd"), &::closedir);
  if (!folder) return 0;
  std::int64_t count = -3;                  // ".", ".." and the folder itself
  while (::readdir(folder.get())) ++count;  // NOLINT(concurrency-mt-unsafe): our own stream
  return count;
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

ProcessMetrics::ProcessMetrics(observe::Registry& registry, const Clock& clock)
    : cpu_seconds_(registry.double_counter("process_cpu_seconds_total", "User and system time.")),
      resident_bytes_(registry.gauge("process_resident_memory_bytes", "Resident memory.")),
      open_descriptors_(registry.gauge("process_open_fds", "Open file descriptors.")),
      max_descriptors_(registry.gauge("process_max_fds", "Limit of open file descriptors.")),
      uptime_seconds_(
          registry.gauge("conciergus_process_uptime_seconds", "Time since the process started.")),
      clock_(clock),
      started_(clock.now()) {
  const auto& build = build_info();
  registry
      .gauge("conciergus_build_info",
             "Always 1; what was built is in the labels.",
             {{"version", std::string(build.version)},
              {"commit", std::string(build.commit)},
              {"compiler", std::string(build.compiler)}})
      .set(1);
}

void ProcessMetrics::update() {
  cpu_seconds_.add(cpu_seconds() - cpu_seconds_.value());
  resident_bytes_.set(resident_bytes());
  open_descriptors_.set(open_descriptors());
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  max_descriptors_.set(static_cast<std::int64_t>(limit.rlim_cur));
  uptime_seconds_.set(
      std::chrono::duration_cast<std::chrono::seconds>(clock_.now() - started_).count());
}

const BuildInfo& build_info() noexcept {
#ifdef NDEBUG
  constexpr std::string_view kKind = "release";
#else
  constexpr std::string_view kKind = "debug";
#endif
  static constexpr BuildInfo kInfo{
      CONCIERGUS_VERSION, CONCIERGUS_COMMIT, "clang " __clang_version__, kKind};
  return kInfo;
}

}  // namespace conciergus::gateway
