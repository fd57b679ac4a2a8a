// SPDX-License-Identifier: Apache-2.0
#include "data/text_file.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <utility>

namespace hg::data {
namespace {

constexpr std::string_view gzip_magic = "\x1f\x8b";
constexpr std::string_view utf8_mark = "\xef\xbb\xbf";
constexpr int gzip_window_bits = 15 + 16;
constexpr std::size_t largest_ratio =
    1032;  // of deflate: the trailer's size is believed up to this

Error gzip_error(std::string_view name, std::string_view what) {
    return {
        ErrorCode::corrupt,
        fmt::format("{}: not a whole gzip file: {}", name, what),
        "copy or compress the file again",
    };
}

/// The size the trailer of a gzip file promises (modulo 2^32), limited to what is possible.
std::size_t expected_size(std::string_view bytes) {
    constexpr std::size_t trailer = 4;
    std::uint32_t promised = 0;
    if (bytes.size() >= trailer) {
        std::memcpy(&promised, bytes.data() + bytes.size() - trailer, trailer);
    }
    constexpr std::size_t least = 1 << 16;
    return std::clamp<std::size_t>(promised, least, std::max(least, bytes.size() * largest_ratio));
}

class Inflater {
  public:
    Inflater() { ready_ = ::inflateInit2(&stream_, gzip_window_bits) == Z_OK; }

    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;
    Inflater(Inflater&&) = delete;
    Inflater& operator=(Inflater&&) = delete;

    ~Inflater() { ::inflateEnd(&stream_); }

    [[nodiscard]] bool is_ready() const noexcept { return ready_; }

    [[nodiscard]] z_stream& stream() noexcept { return stream_; }

  private:
    z_stream stream_{};
    bool ready_ = false;
};

}  // namespace

Result<std::string> inflate_gzip(std::string_view bytes, std::string_view name) {
    Inflater inflater;
    HG_CHECK(inflater.is_ready(), "zlib cannot start");
    auto& stream = inflater.stream();
    constexpr std::size_t most = std::numeric_limits<uInt>::max();
    std::string out;
    out.resize(expected_size(bytes) + 1);
    std::size_t written = 0;
    std::size_t read = 0;
    for (;;) {
        if (written == out.size()) {
            out.resize(out.size() * 2);
        }
        const auto input = std::min(bytes.size() - read, most);
        const auto room = std::min(out.size() - written, most);
        // zlib's interface is not const-correct; it does not write to its input.
        stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data() + read)
        );  // NOLINT(*-const-cast)
        stream.avail_in = static_cast<uInt>(input);
        stream.next_out = reinterpret_cast<Bytef*>(out.data() + written);
        stream.avail_out = static_cast<uInt>(room);
        const int status = ::inflate(&stream, Z_NO_FLUSH);
        read += input - stream.avail_in;
        written += room - stream.avail_out;
        if (status == Z_STREAM_END) {
            if (!bytes.substr(read).starts_with(gzip_magic)) {
                break;
            }
            ::inflateReset(&stream);
        } else if (status == Z_BUF_ERROR && read == bytes.size()) {
            return std::unexpected(gzip_error(name, "it ends too early"));
        } else if (status != Z_OK && status != Z_BUF_ERROR) {
            const auto* const why = stream.msg == nullptr ? "damaged" : stream.msg;
            return std::unexpected(gzip_error(name, fmt::format("{} after byte {}", why, read)));
        } else if (read == bytes.size() && written < out.size()) {
            return std::unexpected(gzip_error(name, "it ends too early"));
        }
    }
    out.resize(written);
    return out;
}

Result<TextFile> TextFile::open(const std::filesystem::path& path) {
    TextFile file;
    HG_TRY(auto mapping, MappedFile::open(path));
    if (mapping.text().starts_with(gzip_magic)) {
        HG_TRY(file.inflated_, inflate_gzip(mapping.text(), path.string()));
    } else {
        file.mapping_.emplace(std::move(mapping));
    }
    const auto text = file.text();
    if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) {
        return fail(
            ErrorCode::invalid_argument,
            path.string() + ": is UTF-16, expected UTF-8",
            "convert it: iconv -f utf-16 -t utf-8"
        );
    }
    if (text.starts_with(utf8_mark)) {
        file.mark_bytes_ = utf8_mark.size();
    }
    return file;
}

}  // namespace hg::data
