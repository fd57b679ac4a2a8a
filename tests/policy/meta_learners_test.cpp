// SPDX-License-Identifier: Apache-2.0
// What every meta-learner of the registry promises, tested for every line of learners/builtin.def.
#include "core/safetensors.hpp"
#include "policy/meta/meta_learner.hpp"
#include "support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

namespace hg::policy {
namespace {

using testing_support::TemporaryFolder;

constexpr std::size_t n_inputs = 3;
constexpr double noise = 0.3;

using Values = std::map<std::string, std::string, std::less<>>;

/// Options that make a learner small and quick, where its defaults are for real data.
const Values small{
    {"steps", "20"},
    {"hidden", "16"},
    {"tasks_per_step", "16"},
    {"check_every", "10"},
};

/// And those that let it learn.
const Values longer{
    {"steps", "400"},
    {"hidden", "16"},
    {"tasks_per_step", "16"},
    {"check_every", "50"},
    {"inner_rate", "0.02"},
};

std::unique_ptr<MetaLearner> make(const MetaLearnerEntry& entry, const Values& values = small) {
    Settings settings;
    entry.options([&](const OptionInfo& option) {
        if (const auto found = values.find(option.name); found != values.end()) {
            settings.set(found->first, found->second, "test");
        }
    });
    return entry.make(n_inputs, settings, Rng{3});
}

/// A user of y = offset + bias + w . x + noise, bias and w of the user's own.
TaskEvents make_task(std::size_t n_events, Rng rng) {
    TaskEvents task{n_inputs};
    const double bias = rng.normal();
    const std::array<double, n_inputs> w{0.7 * rng.normal(), 0.5 * rng.normal(), 0.0};
    for (std::size_t i = 0; i < n_events; ++i) {
        std::array<float, n_inputs> x{};
        double answer = bias + noise * rng.normal();
        for (std::size_t j = 0; j < n_inputs; ++j) {
            x[j] = static_cast<float>(rng.normal());
            answer += w[j] * static_cast<double>(x[j]);
        }
        const auto offset = static_cast<float>(3 + rng.normal());
        task.add(x, offset, offset + static_cast<float>(answer));
    }
    return task;
}

std::vector<TaskEvents> make_tasks(std::size_t n_tasks, std::uint64_t seed) {
    std::vector<TaskEvents> tasks;
    for (std::size_t i = 0; i < n_tasks; ++i) {
        tasks.push_back(make_task(40, Rng{seed}.split(i)));
    }
    return tasks;
}

EventsView slice(const TaskEvents& task, std::size_t from, std::size_t count) {
    const auto all = task.view();
    return {
        all.inputs.rows_slice(from, count),
        all.offsets.subspan(from, count),
        all.targets.subspan(from, count)
    };
}

std::vector<float> answers(
    const MetaLearner& learner, const TaskBelief& belief, const TaskEvents& task
) {
    std::vector<float> out(task.size());
    learner.predict(belief, task.queries(), out);
    return out;
}

/// Of the last 20 events after the first k.
double mean_square_error(
    const MetaLearner& learner, std::span<const TaskEvents> tasks, std::size_t k
) {
    double sum = 0;
    for (const auto& task : tasks) {
        auto belief = learner.start();
        learner.adapt(belief, slice(task, 0, k));
        const auto out = answers(learner, belief, task);
        for (std::size_t i = 20; i < task.size(); ++i) {
            const double error = out[i] - task.view().targets[i];
            sum += error * error / 20;
        }
    }
    return sum / static_cast<double>(tasks.size());
}

void expect_near(const std::vector<float>& a, const std::vector<float>& b, float tolerance) {
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
        EXPECT_NEAR(a[i], b[i], tolerance) << i;
    }
}

class MetaLearnerContract : public testing::TestWithParam<const MetaLearnerEntry*> {
  protected:
    static std::unique_ptr<MetaLearner> fit(
        const Values& values, std::size_t n_tasks, std::uint64_t seed = 2
    ) {
        auto learner = make(*GetParam(), values);
        SilentProgress progress;
        const auto tasks = make_tasks(n_tasks, 1);
        learner->fit(tasks, {Rng{seed}, progress, {}});
        return learner;
    }

    /// Fitted once per entry, a little: the tests only read it.
    static const MetaLearner& fitted() {
        static std::map<std::string_view, std::unique_ptr<MetaLearner>> learners;
        auto& learner = learners[GetParam()->name];
        if (!learner) {
            learner = fit(small, 40);
        }
        return *learner;
    }
};

TEST_P(MetaLearnerContract, events_bring_the_error_down_where_it_adapts) {
    const auto learner = fit(longer, 200);
    const auto tasks = make_tasks(100, 77);

    const double before = mean_square_error(*learner, tasks, 0);
    const double after_one = mean_square_error(*learner, tasks, 1);
    const double after_twenty = mean_square_error(*learner, tasks, 20);

    // Variances: bias 1, preferences .74, noise .09. Without events nobody is below their sum but
    // by luck; the bias alone is more than half of it.
    EXPECT_GT(before, 1.2);
    if (has(GetParam()->facts, MetaFact::adapts)) {
        EXPECT_LT(after_one, before);
        EXPECT_LT(after_twenty, 0.6 * before);
    } else {
        EXPECT_EQ(after_twenty, before);
    }
}

TEST_P(MetaLearnerContract, events_one_by_one_equal_all_at_once) {
    const auto task = make_task(12, Rng{5});
    auto at_once = fitted().start();
    auto one_by_one = fitted().start();

    fitted().adapt(at_once, task.view());
    for (std::size_t i = 0; i < task.size(); ++i) {
        fitted().adapt(one_by_one, slice(task, i, 1));
    }

    EXPECT_EQ(one_by_one.n_events, task.size());
    expect_near(answers(fitted(), at_once, task), answers(fitted(), one_by_one, task), 2e-4F);
}

TEST_P(MetaLearnerContract, the_order_of_events_does_not_matter) {
    const auto task = make_task(12, Rng{6});
    auto forwards = fitted().start();
    auto backwards = fitted().start();

    fitted().adapt(forwards, task.view());
    TaskEvents reversed{n_inputs};
    for (std::size_t i = task.size(); i > 0; --i) {
        reversed.add_all(slice(task, i - 1, 1));
    }
    fitted().adapt(backwards, reversed.view());

    expect_near(answers(fitted(), forwards, task), answers(fitted(), backwards, task), 2e-4F);
}

TEST_P(MetaLearnerContract, one_user_leaves_no_trace_in_another) {
    const auto task = make_task(8, Rng{7});
    const auto before = answers(fitted(), fitted().start(), task);

    auto other = fitted().start();
    fitted().adapt(other, make_task(8, Rng{8}).view());

    expect_near(answers(fitted(), fitted().start(), task), before, 0.0F);
}

TEST_P(MetaLearnerContract, an_incremental_belief_keeps_no_events) {
    auto belief = fitted().start();
    const auto size = belief.state.size();

    fitted().adapt(belief, make_task(15, Rng{9}).view());

    EXPECT_EQ(belief.state.size(), size);
    EXPECT_EQ(belief.n_events, 15U);
    EXPECT_EQ(belief.events.size(), has(GetParam()->facts, MetaFact::incremental) ? 0U : 15U);
}

TEST_P(MetaLearnerContract, answers_the_same_after_save_and_load) {
    const TemporaryFolder folder;
    const auto task = make_task(10, Rng{10});
    SafetensorsWriter writer;
    fitted().save(writer);
    writer.save(folder.path() / "learner.safetensors");
    const auto file = value_or_throw(SafetensorsFile::open(folder.path() / "learner.safetensors"));

    const auto loaded = make(*GetParam());
    loaded->load(file);

    auto belief = fitted().start();
    auto other = loaded->start();
    fitted().adapt(belief, task.view());
    loaded->adapt(other, task.view());
    expect_near(answers(fitted(), belief, task), answers(*loaded, other, task), 0.0F);
}

TEST_P(MetaLearnerContract, the_same_seed_gives_the_same_learner) {
    const auto task = make_task(10, Rng{11});
    std::vector<std::vector<float>> runs;
    for (int repeat = 0; repeat < 2; ++repeat) {
        const auto learner = fit(small, 20, 12);
        auto belief = learner->start();
        learner->adapt(belief, task.view());
        runs.push_back(answers(*learner, belief, task));
    }
    expect_near(runs[0], runs[1], 0.0F);
}

INSTANTIATE_TEST_SUITE_P(
    Registry,
    MetaLearnerContract,
    testing::ValuesIn(meta_learners().begin(), meta_learners().end()),
    [](const auto& info) { return std::string{info.param->name}; }
);

TEST(Episode, support_and_query_are_disjoint_and_items_of_the_future_are_only_asked) {
    Rng rng{13};
    for (int trial = 0; trial < 200; ++trial) {
        TaskEvents task{1};
        const auto n = 1 + rng.below(12);
        for (std::size_t i = 0; i < n; ++i) {
            const bool is_future = rng.uniform() < 0.3;
            const auto x = static_cast<float>(i);
            task.add(
                std::span{&x, 1},
                0,
                0,
                is_future ? TaskEvents::Use::query_only : TaskEvents::Use::any
            );
        }
        const EpisodeOptions options{
            .n_support = rng.below(10), .max_query = 1 + rng.below(5), .is_first = trial % 2 == 0
        };
        const auto episode = draw_episode(task, options, rng);

        std::vector<int> uses(n);
        for (const auto i : episode.support) {
            EXPECT_EQ(task.use(i), TaskEvents::Use::any);
            ++uses[i];
        }
        for (const auto i : episode.query) {
            ++uses[i];
        }
        EXPECT_TRUE(std::ranges::all_of(uses, [](int use) { return use <= 1; }));
        EXPECT_LE(episode.support.size(), options.n_support);
        EXPECT_GE(episode.query.size(), 1U);
        EXPECT_LE(episode.query.size(), options.max_query);
        if (options.is_first) {
            EXPECT_TRUE(std::ranges::is_sorted(episode.support));
        }
    }
}

/// y = W x + b; W [out, in].
std::vector<double> linear(
    MatrixView<const float> w, std::span<const float> b, const std::vector<double>& x
) {
    std::vector<double> y(w.rows());
    for (std::size_t row = 0; row < y.size(); ++row) {
        y[row] = b.empty() ? 0 : b[row];
        for (std::size_t i = 0; i < x.size(); ++i) {
            y[row] += static_cast<double>(w(row, i)) * x[i];
        }
    }
    return y;
}

// The equations at the head of neural_process.cpp, with the weights it was made with.
TEST(NeuralProcess, answers_by_its_equations) {
    constexpr std::size_t d = n_inputs;
    constexpr std::size_t hidden = 4;
    constexpr double prior_events = 2;
    const auto& entry = find_meta_learner("neural_process");
    const auto learner =
        make(entry, {{"hidden", "4"}, {"layers", "0"}, {"summary", "2"}, {"prior_events", "2"}});
    const TemporaryFolder folder;
    SafetensorsWriter writer;
    learner->save(writer);
    writer.save(folder / "weights");
    const auto weights = value_or_throw(SafetensorsFile::open(folder / "weights"));
    const auto matrix = [&](const char* name) {
        return value_or_throw(weights.matrix<float>(name));
    };
    const auto vector = [&](const char* name) {
        return value_or_throw(weights.values<float>(name));
    };
    TaskEvents task{d};
    task.add(std::array{0.5F, -1.0F, 2.0F}, 0, 1.5F);
    task.add(std::array{-0.3F, 0.4F, 1.0F}, 0, -0.5F);
    task.add(std::array{1.0F, 0.2F, -0.7F}, 0, 0);

    auto belief = learner->start();
    learner->adapt(belief, slice(task, 0, 2));
    std::array<float, 1> answer{};
    const auto asked = slice(task, 2, 1);
    learner->predict(belief, {asked.inputs, asked.offsets}, answer);

    std::vector<double> r(2);
    for (std::size_t n = 0; n < 2; ++n) {
        std::vector<double> event(d + 1);
        for (std::size_t i = 0; i < d; ++i) {
            event[i] = static_cast<double>(task.view().inputs(n, i)) / std::sqrt(d + 1.0);
        }
        event[d] = static_cast<double>(task.view().targets[n]) / std::sqrt(d + 1.0);
        const auto e = linear(matrix("encoder.0"), vector("encoder.1"), event);
        for (std::size_t i = 0; i < r.size(); ++i) {
            r[i] += e[i] / (2 + prior_events);
        }
    }
    const auto modulation = linear(matrix("modulation.0"), {}, r);
    std::vector<double> x(d);
    for (std::size_t i = 0; i < d; ++i) {
        x[i] = static_cast<double>(asked.inputs(0, i));
    }
    const auto plain = linear(matrix("decoder.0"), vector("decoder.1"), x);
    double expected = static_cast<double>(vector("decoder.3")[0]) + modulation[3 * hidden + d];
    for (std::size_t i = 0; i < hidden + d; ++i) {
        const double seen =
            i < hidden ? std::tanh((1 + modulation[i]) * plain[i] + modulation[hidden + i]) /
                             std::sqrt(1.0 * hidden)
                       : x[i - hidden] / std::sqrt(1.0 * d);
        const double w = static_cast<double>(matrix("decoder.2")(0, i));
        expected += seen * (w + modulation[2 * hidden + i]);
    }
    EXPECT_NEAR(answer[0], expected, 1e-5);
    EXPECT_GT(std::abs(expected), 1e-3) << "the events do change the answer";
}

TEST(MetaLearners, an_unknown_name_is_told_the_nearest) {
    try {
        (void)find_meta_learner("reptil");
        FAIL();
    } catch (const Error& error) {
        EXPECT_NE(error.hint().find("reptile"), std::string::npos);
    }
}

}  // namespace
}  // namespace hg::policy
