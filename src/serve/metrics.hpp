// SPDX-License-Identifier: Apache-2.0
// Metrics: what /metrics says, in Prometheus' text format.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace hg::serve {

class Metrics {
  public:
    Metrics();
    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;
    Metrics(Metrics&&) = delete;
    Metrics& operator=(Metrics&&) = delete;
    ~Metrics();

    /// One answered request. Thread-safe.
    void observe(std::string_view route, unsigned status, double seconds);
    /// A number as it is now; `name` without the prefix honeyguide_.
    void set(const std::string& name, const std::string& help, double value);

    [[nodiscard]] std::string text() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace hg::serve
