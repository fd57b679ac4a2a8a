// SPDX-License-Identifier: Apache-2.0
#include "policy/learn.hpp"

#include "core/clock.hpp"

#include <fmt/format.h>

#include <map>
#include <string>
#include <utility>

namespace hg::policy {
namespace {

/// Keeps the best judged version of an agent in a file, so that a crash does not lose it.
class Best {
  public:
    explicit Best(std::filesystem::path path) : path_(std::move(path)) {
        std::error_code error;
        if (std::filesystem::exists(path_, error)) {  // of the learning that is resumed
            const auto file = value_or_throw(SafetensorsFile::open(path_));
            const auto numbers = value_or_throw(file.values<double>(numbers_name));
            HG_CHECK(numbers.size() == 2, "written by offer()");
            value_ = numbers[0];
            step_ = static_cast<std::int64_t>(numbers[1]);
            is_set_ = true;
        }
    }

    /// Whether this version is the best so far.
    bool offer(const Agent& agent, const CurvePoint& point) {
        if (is_set_ && point.mean_return.value <= value_) {
            return false;
        }
        is_set_ = true;
        value_ = point.mean_return.value;
        step_ = point.step;
        SafetensorsWriter weights;
        agent.save(weights, Agent::Save::policy);
        const std::vector<double> numbers{value_, static_cast<double>(step_)};
        weights.add(std::string{numbers_name}, std::span<const double>{numbers});
        weights.save(path_);
        return true;
    }

    void restore(Agent& agent) const {
        agent.load(value_or_throw(SafetensorsFile::open(path_)), Agent::Save::policy);
    }

    [[nodiscard]] double value() const noexcept { return value_; }

    [[nodiscard]] std::int64_t step() const noexcept { return step_; }

  private:
    static constexpr const char* numbers_name = "judged";  // return, step

    std::filesystem::path path_;
    bool is_set_ = false;
    double value_ = 0;
    std::int64_t step_ = 0;
};

/// Means of what the agent tells, between two judgements.
class Told {
  public:
    void add(std::string_view name, double value) {
        auto& [sum, n] = sums_[std::string{name}];
        sum += value;
        n += 1;
    }

    void flush(std::int64_t step, const CurveSink& curve) {
        for (const auto& [name, told] : sums_) {
            curve("learn/" + name, step, told.first / told.second);
        }
        sums_.clear();
    }

  private:
    std::map<std::string, std::pair<double, double>> sums_;
};

class Learner {
  public:
    Learner(const LearnSetup& setup, const CurveSink& curve)
        : setup_(setup),
          curve_(curve),
          stepper_(setup.world, setup.session_tokens),
          best_(setup.best),
          rng_(Rng{setup.seed}.split("learn").split(static_cast<std::uint64_t>(setup.first_step))) {
        stepper_.reset(rng_.split("users")());
        result_.steps = setup.first_step;
    }

    LearnResult run(ProgressSink& progress, const std::stop_token& stop) {
        const auto& options = setup_.options;
        Progress bar{progress, "learn", static_cast<std::size_t>(options.steps), "steps"};
        judge(bar, stop);
        result_.stopped_by = "steps";
        while (result_.steps < options.steps && !stop.stop_requested()) {
            advance(std::min(result_.steps + options.evaluate_every, options.steps), bar, stop);
            judge(bar, stop);
            if (options.patience > 0 && since_best_ >= options.patience) {
                result_.stopped_by = "patience";
                break;
            }
            if (options.wall_seconds > 0 && result_.seconds >= options.wall_seconds) {
                result_.stopped_by = "wall_seconds";
                break;
            }
        }
        if (!stop.stop_requested()) {
            best_.restore(setup_.agent);
        }
        result_.best_step = best_.step();
        result_.best_return = best_.value();
        return result_;
    }

  private:
    void advance(std::int64_t until, Progress& bar, const std::stop_token& stop) {
        const Stopwatch watch;
        const auto steps = until - result_.steps;
        setup_.agent.set_progress(share());
        if (const auto done = setup_.agent.learn_with_workers(setup_.world, rng_(), steps, stop)) {
            result_.steps = stop.stop_requested() ? result_.steps + *done : until;
        } else {
            const MetricSink tell = [this](std::string_view name, double value) {
                told_.add(name, value);
            };
            while (result_.steps < until && !stop.stop_requested()) {
                setup_.agent.set_progress(share());
                setup_.agent.observe(stepper_.take(setup_.agent, Mode::explore, rng_), rng_, tell);
                result_.steps += static_cast<std::int64_t>(setup_.world.size());
                bar.set(static_cast<std::size_t>(result_.steps));
            }
        }
        bar.set(static_cast<std::size_t>(result_.steps));
        result_.seconds += watch.seconds();
    }

    [[nodiscard]] double share() const {
        return static_cast<double>(result_.steps) / static_cast<double>(setup_.options.steps);
    }

    void judge(Progress& bar, const std::stop_token& stop) {
        const PlayOptions options{
            .episodes = static_cast<std::size_t>(setup_.options.evaluation_episodes),
            .seed = setup_.seed ^ 0x5eedULL,
            .mode = Mode::exploit,
            .session_tokens = setup_.session_tokens,
        };
        const auto played = play(setup_.held_out, setup_.agent, options, {}, stop);
        if (stop.stop_requested()) {
            return;  // not whole: says nothing
        }
        const CurvePoint point{result_.steps, played.mean_return, result_.seconds};
        result_.curve.push_back(point);
        since_best_ = best_.offer(setup_.agent, point) ? 0 : since_best_ + 1;
        bar.note(fmt::format("return {:.3f} best {:.3f}", point.mean_return.value, best_.value()));
        curve_("held_out/return", point.step, point.mean_return.value);
        curve_("held_out/click_rate", point.step, played.click_rate.value);
        curve_("held_out/length", point.step, played.length.value);
        curve_("held_out/coverage", point.step, played.coverage);
        told_.flush(point.step, curve_);
        if (setup_.checkpoint) {
            setup_.checkpoint(point.step);
        }
    }

    const LearnSetup& setup_;
    const CurveSink& curve_;
    Stepper stepper_;
    Best best_;
    Rng rng_;
    LearnResult result_;
    Told told_;
    std::int64_t since_best_ = 0;
};

}  // namespace

LearnResult learn(
    const LearnSetup& setup,
    ProgressSink& progress,
    const std::stop_token& stop,
    const CurveSink& curve
) {
    return Learner{setup, curve}.run(progress, stop);
}

}  // namespace hg::policy
