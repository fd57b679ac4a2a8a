// SPDX-License-Identifier: Apache-2.0
#include "serve/metrics.hpp"

#include <fmt/format.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace hg::serve {
namespace {

const prometheus::Histogram::BucketBoundaries request_seconds{
    0.0001,
    0.00025,
    0.0005,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1,
    2.5,
    10,
};

}  // namespace

struct Metrics::Impl {
    prometheus::Registry registry;
    prometheus::Family<prometheus::Counter>& requests =
        prometheus::BuildCounter()
            .Name("honeyguide_http_requests_total")
            .Help("Requests answered, by route and status")
            .Register(registry);
    prometheus::Family<prometheus::Histogram>& seconds =
        prometheus::BuildHistogram()
            .Name("honeyguide_http_request_seconds")
            .Help("From the request read to its answer given, by route")
            .Register(registry);
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}

Metrics::~Metrics() = default;

void Metrics::observe(std::string_view route, unsigned status, double seconds) {
    const std::string name{route};
    impl_->requests.Add({{"route", name}, {"status", fmt::format("{}", status)}}).Increment();
    impl_->seconds.Add({{"route", name}}, request_seconds).Observe(seconds);
}

void Metrics::set(const std::string& name, const std::string& help, double value) {
    prometheus::BuildGauge()
        .Name("honeyguide_" + name)
        .Help(help)
        .Register(impl_->registry)
        .Add({})
        .Set(value);
}

std::string Metrics::text() const {
    return prometheus::TextSerializer{}.Serialize(impl_->registry.Collect());
}

}  // namespace hg::serve
