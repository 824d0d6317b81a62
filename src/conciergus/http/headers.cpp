#include "conciergus/http/headers.hpp"

#include "conciergus/base/text.hpp"

namespace conciergus::http {

void Headers::add(std::string_view name, std::string_view value) {
  slots_.push_back({static_cast<std::uint32_t>(arena_.size()),
                    static_cast<std::uint32_t>(name.size()),
                    static_cast<std::uint32_t>(value.size())});
  arena_.append(name).append(value);
}

void Headers::set(std::string_view name, std::string_view value) {
  const std::string kept_name(name);  // both may be views into this very arena
  const std::string kept_value(value);
  bool placed = false;
  for (std::size_t i = 0; i < slots_.size();) {
    if (!iequals((*this)[i].name, kept_name)) {
      ++i;
    } else if (!placed) {
      placed = true;
      slots_[i] = {static_cast<std::uint32_t>(arena_.size()),
                   static_cast<std::uint32_t>(kept_name.size()),
                   static_cast<std::uint32_t>(kept_value.size())};
      arena_.append(kept_name).append(kept_value);
      ++i;
    } else {
      slots_.erase(slots_.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
  if (!placed) add(kept_name, kept_value);
}

std::size_t Headers::remove(std::string_view name) {
  return std::erase_if(slots_, [&](const Slot& slot) {
    return iequals(std::string_view(arena_).substr(slot.at, slot.name_size), name);
  });
}

void Headers::clear() noexcept {
  arena_.clear();
  slots_.clear();
}

std::optional<std::string_view> Headers::find(std::string_view name) const noexcept {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].name_size == name.size() && iequals((*this)[i].name, name))
      return (*this)[i].value;
  }
  return std::nullopt;
}

std::string_view Headers::get(std::string_view name, std::string_view otherwise) const noexcept {
  return find(name).value_or(otherwise);
}

std::vector<std::string_view> Headers::find_all(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const auto field : *this) {
    if (iequals(field.name, name)) values.push_back(field.value);
  }
  return values;
}

std::string Headers::joined(std::string_view name) const {
  std::string all;
  for (const auto value : find_all(name)) {
    if (!all.empty()) all += ", ";
    all += value;
  }
  return all;
}

bool Headers::has_token(std::string_view name, std::string_view token) const noexcept {
  for (const auto field : *this) {
    if (!iequals(field.name, name)) continue;
    for (std::string_view rest = field.value; !rest.empty();) {
      const auto comma = rest.find(',');
      if (iequals(trim(rest.substr(0, comma)), token)) return true;
      if (comma == rest.npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  return false;
}

void Headers::reserve(std::size_t fields, std::size_t bytes) {
  slots_.reserve(fields);
  arena_.reserve(bytes);
}

}  // namespace conciergus::http
