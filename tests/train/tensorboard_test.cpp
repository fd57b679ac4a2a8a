// SPDX-License-Identifier: Apache-2.0
#include "train/tensorboard.hpp"

#include "core/file.hpp"

#include <gtest/gtest.h>
#include <protozero/pbf_reader.hpp>

#include <string>

namespace hg::train {
namespace {

struct Point {
    double wall_time = 0;
    std::int64_t step = 0;
    std::string version;
    std::string tag;
    float value = 0;
};

void read_value(protozero::pbf_reader value, Point& point) {
    while (value.next()) {
        switch (value.tag()) {
            case 1:
                point.tag = value.get_string();
                break;
            case 2:
                point.value = value.get_float();
                break;
            default:
                value.skip();
        }
    }
}

Point decode(std::string_view payload) {
    Point point;
    protozero::pbf_reader event{payload.data(), payload.size()};
    while (event.next()) {
        switch (event.tag()) {
            case 1:
                point.wall_time = event.get_double();
                break;
            case 2:
                point.step = event.get_int64();
                break;
            case 3:
                point.version = event.get_string();
                break;
            case 5: {
                auto summary = event.get_message();
                if (summary.next(1)) {
                    read_value(summary.get_message(), point);
                }
                break;
            }
            default:
                event.skip();
        }
    }
    return point;
}

class TensorBoard : public testing::Test {
  protected:
    void SetUp() override {
        folder_ =
            std::filesystem::path{testing::TempDir()} /
            (std::string{"hg_tb_"} + testing::UnitTest::GetInstance()->current_test_info()->name());
        std::filesystem::remove_all(folder_);
        std::filesystem::create_directories(folder_);
    }

    void TearDown() override { std::filesystem::remove_all(folder_); }

    [[nodiscard]] std::string content() const {
        return value_or_throw(read_file(folder_ / TensorBoardWriter::file_name));
    }

    std::filesystem::path folder_;
    ManualClock clock_{1'700'000'000'500};
};

TEST_F(TensorBoard, a_scalar_reads_back_as_it_was_written) {
    TensorBoardWriter{folder_, clock_}.scalar("validation/ndcg@10", 300, 0.0937);

    const auto bytes = content();
    const auto records = read_tf_records(bytes);

    ASSERT_EQ(records.payloads.size(), 2U);
    EXPECT_EQ(records.valid_bytes, bytes.size());
    EXPECT_EQ(decode(records.payloads[0]).version, "brain.Event:2");
    const auto point = decode(records.payloads[1]);
    EXPECT_EQ(point.tag, "validation/ndcg@10");
    EXPECT_EQ(point.step, 300);
    EXPECT_FLOAT_EQ(point.value, 0.0937F);
    EXPECT_DOUBLE_EQ(point.wall_time, 1'700'000'000.5);
}

TEST_F(TensorBoard, a_resumed_run_appends_and_drops_a_torn_record) {
    TensorBoardWriter{folder_, clock_}.scalar("loss", 1, 2.0);
    const auto whole = content();
    std::filesystem::resize_file(folder_ / TensorBoardWriter::file_name, whole.size() - 3);

    TensorBoardWriter{folder_, clock_}.scalar("loss", 2, 1.0);

    const auto bytes = content();
    const auto records = read_tf_records(bytes);
    ASSERT_EQ(records.payloads.size(), 2U);
    EXPECT_EQ(records.valid_bytes, bytes.size());
    EXPECT_EQ(decode(records.payloads[1]).step, 2);
}

TEST_F(TensorBoard, a_flipped_bit_ends_the_valid_part) {
    TensorBoardWriter{folder_, clock_}.scalar("loss", 1, 2.0);
    auto bytes = content();
    const auto first = read_tf_records(bytes).payloads[0].size() + 16;
    for (std::size_t i = first; i < bytes.size(); ++i) {
        auto damaged = bytes;
        damaged[i] = static_cast<char>(damaged[i] ^ 0x10);

        EXPECT_EQ(read_tf_records(damaged).valid_bytes, first) << "byte " << i;
    }
}

// The check value of CRC-32C ("123456789" -> e3069283) through TFRecord's mask, as TensorFlow
// writes it.
TEST_F(TensorBoard, framing_is_that_of_tensorflow) {
    TensorBoardWriter{folder_, clock_};

    const auto bytes = content();

    // length 24 = 0x18, then masked_crc32c(18 00 00 00 00 00 00 00).
    ASSERT_GE(bytes.size(), 12U);
    EXPECT_EQ(bytes[0], 24);
    const std::string crc = bytes.substr(8, 4);
    EXPECT_EQ(crc, std::string("\xa3\x7f\x4b\x22", 4));
}

}  // namespace
}  // namespace hg::train
