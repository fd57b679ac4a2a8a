// SPDX-License-Identifier: Apache-2.0
#include "encode/wordpiece.hpp"

#include "core/file.hpp"
#include "encode/bert_unicode.hpp"
#include "encode/unicode.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <utf8proc.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace hg::encode {
namespace {

constexpr std::size_t max_word_characters = 100;
constexpr std::string_view continuation_mark = "##";

/// {} for a file that is not there; an error for one that is no JSON object.
Result<nlohmann::json> optional_json(const std::filesystem::path& path) {
    if (!std::filesystem::exists(path)) {
        return nlohmann::json::object();
    }
    HG_TRY(const auto text, read_file(path));
    auto content = nlohmann::json::parse(text, nullptr, false);
    if (!content.is_object()) {
        return fail(ErrorCode::corrupt, path.string() + ": not a JSON object");
    }
    return content;
}

std::optional<bool> flag(const nlohmann::json& config, const char* key) {
    const auto found = config.find(key);
    if (found == config.end() || !found->is_boolean()) {
        return {};
    }
    return found->get<bool>();
}

std::optional<std::size_t> length(const nlohmann::json& config, const char* key) {
    const auto found = config.find(key);
    constexpr std::uint64_t unbounded = 1'000'000;  // "model_max_length": 1e30 means no limit
    if (found == config.end() || !found->is_number_unsigned() ||
        found->get<std::uint64_t>() > unbounded || found->get<std::uint64_t>() < 2) {
        return {};
    }
    return found->get<std::size_t>();
}

/// "unk_token": "[UNK]" or "unk_token": {"content": "[UNK]", ...}.
void read_token(const nlohmann::json& config, const char* key, std::string& token) {
    const auto found = config.find(key);
    if (found == config.end()) {
        return;
    }
    if (found->is_string()) {
        token = found->get<std::string>();
    } else if (found->is_object() && found->contains("content") &&
               found->at("content").is_string()) {
        token = found->at("content").get<std::string>();
    }
}

Result<WordPieceOptions> read_options(const std::filesystem::path& folder) {
    HG_TRY(const auto config, optional_json(folder / "tokenizer_config.json"));
    HG_TRY(const auto sentence, optional_json(folder / "sentence_bert_config.json"));
    HG_TRY(const auto model, optional_json(folder / "config.json"));
    WordPieceOptions options;
    options.lower_case = flag(config, "do_lower_case").value_or(true) ||
                         flag(sentence, "do_lower_case").value_or(false);
    options.strip_accents = flag(config, "strip_accents").value_or(options.lower_case);
    options.split_ideographs = flag(config, "tokenize_chinese_chars").value_or(true);
    const auto positions = length(model, "max_position_embeddings").value_or(options.max_length);
    options.max_length = length(sentence, "max_seq_length")
                             .value_or(length(config, "model_max_length").value_or(positions));
    options.max_length = std::min(options.max_length, positions);
    read_token(config, "unk_token", options.unknown);
    read_token(config, "cls_token", options.classify);
    read_token(config, "sep_token", options.separate);
    read_token(config, "pad_token", options.pad);
    read_token(config, "mask_token", options.mask);
    return options;
}

std::vector<std::string> read_lines(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        auto line = text.substr(0, end);
        if (line.ends_with('\r')) {
            line.remove_suffix(1);
        }
        lines.emplace_back(line);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

/// Canonical decomposition of one point, appended.
void decompose(char32_t point, std::u32string& out) {
    constexpr std::size_t longest = 32;
    std::array<utf8proc_int32_t, longest> parts{};
    int last_class = 0;
    const auto n = utf8proc_decompose_char(
        static_cast<utf8proc_int32_t>(point),
        parts.data(),
        static_cast<utf8proc_ssize_t>(longest),
        UTF8PROC_DECOMPOSE,
        &last_class
    );
    if (n <= 0 || std::cmp_greater(n, longest)) {
        out.push_back(point);
        return;
    }
    for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
        out.push_back(static_cast<char32_t>(parts[i]));
    }
}

int combining_class(char32_t point) {
    return utf8proc_get_property(static_cast<utf8proc_int32_t>(point))->combining_class;
}

/// NFD without nonspacing marks. Marks go before the canonical ordering, which cannot change what
/// is left, so a megabyte of marks costs no sort.
std::u32string strip_accents(std::u32string_view points) {
    std::u32string out;
    out.reserve(points.size());
    for (const auto point : points) {
        if (point < 0x80) {
            out.push_back(point);
        } else {
            decompose(point, out);
        }
    }
    std::erase_if(out, is_bert_mark);
    for (std::size_t begin = 0; begin < out.size();) {
        if (out[begin] < 0x80 || combining_class(out[begin]) == 0) {
            ++begin;
            continue;
        }
        auto end = begin;
        while (end < out.size() && combining_class(out[end]) != 0) {
            ++end;
        }
        std::stable_sort(
            out.begin() + static_cast<std::ptrdiff_t>(begin),
            out.begin() + static_cast<std::ptrdiff_t>(end),
            [](char32_t a, char32_t b) { return combining_class(a) < combining_class(b); }
        );
        begin = end;
    }
    return out;
}

void append_lower(char32_t point, std::u32string& out) {
    constexpr char32_t capital_i_with_dot = 0x130;
    constexpr char32_t dot_above = 0x307;
    if (point == capital_i_with_dot) {  // the one lower case of two characters
        out.push_back(U'i');
        out.push_back(dot_above);
        return;
    }
    out.push_back(static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(point))));
}

}  // namespace

Result<WordPiece> WordPiece::load(const std::filesystem::path& folder) {
    const auto path = folder / "vocab.txt";
    auto text = read_file(path);
    if (!text) {
        return fail(
            text.error().code(),
            fmt::format("{}: no vocabulary to read ({})", path.string(), text.error().message()),
            "a text model is a folder with config.json, vocab.txt and model.safetensors; `make "
            "deps` "
            "fetches the default one"
        );
    }
    HG_TRY(auto options, read_options(folder));
    auto loaded = from_pieces(read_lines(*text), std::move(options));
    if (!loaded) {
        return fail(
            loaded.error().code(),
            fmt::format("{}: {}", path.string(), loaded.error().message()),
            loaded.error().hint()
        );
    }
    return loaded;
}

Result<WordPiece> WordPiece::from_pieces(
    std::vector<std::string> pieces, WordPieceOptions options
) {
    WordPiece out;
    out.options_ = std::move(options);
    out.pieces_ = std::move(pieces);
    for (std::size_t i = 0; i < out.pieces_.size(); ++i) {
        const std::string_view piece = out.pieces_[i];
        const auto id = static_cast<std::int32_t>(i);
        out.starts_.insert_or_assign(std::string{piece}, id);
        if (piece.starts_with(continuation_mark)) {
            out.continuations_.insert_or_assign(
                std::string{piece.substr(continuation_mark.size())}, id
            );
        }
        out.longest_piece_ = std::max(out.longest_piece_, piece.size());
    }
    if (auto found = out.find_specials(); !found) {
        return std::unexpected(std::move(found.error()));
    }
    return out;
}

std::optional<std::int32_t> WordPiece::mask_id() const noexcept {
    const auto id = specials_.back().id;
    return id < 0 ? std::nullopt : std::optional{id};
}

std::vector<std::int32_t> WordPiece::special_ids() const {
    std::vector<std::int32_t> ids;
    for (const auto& special : specials_) {
        if (special.id >= 0) {
            ids.push_back(special.id);
        }
    }
    return ids;
}

WordPiece WordPiece::cut_to(std::size_t max_tokens) const {
    auto shorter = *this;
    shorter.options_.max_length = std::min(options_.max_length, max_tokens);
    return shorter;
}

Result<void> WordPiece::find_specials() {
    const std::array names{
        &options_.unknown, &options_.classify, &options_.separate, &options_.pad, &options_.mask
    };
    for (std::size_t i = 0; i < names.size(); ++i) {
        const auto found = starts_.find(*names[i]);
        const bool is_needed = names[i] != &options_.mask && names[i] != &options_.pad;
        if (found == starts_.end() && is_needed) {
            return fail(
                ErrorCode::corrupt,
                fmt::format("the special token {} is not in the vocabulary", *names[i]),
                "vocab.txt and tokenizer_config.json belong to different models"
            );
        }
        specials_[i] = found == starts_.end() ? Special{{}, -1} : Special{*names[i], found->second};
    }
    unknown_id_ = specials_[0].id;
    classify_id_ = specials_[1].id;
    separate_id_ = specials_[2].id;
    pad_id_ = std::max(specials_[3].id, 0);
    return {};
}

std::vector<std::int32_t> WordPiece::encode(std::string_view text) const {
    std::vector<std::int32_t> ids{classify_id_};
    const auto room = options_.max_length - 1;
    constexpr auto nowhere = std::string_view::npos;
    std::array<std::size_t, std::tuple_size_v<decltype(specials_)>> next{};
    const auto find_from = [&](std::size_t special, std::size_t from) {
        const auto& wanted = specials_[special].text;
        return wanted.empty() ? nowhere : text.find(wanted, from);
    };
    for (std::size_t i = 0; i < next.size(); ++i) {
        next[i] = find_from(i, 0);
    }
    for (std::size_t begin = 0; begin < text.size() && ids.size() < room;) {
        const auto first = std::ranges::min_element(next);
        const auto end = std::min(*first, text.size());
        append_plain(text.substr(begin, end - begin), ids);
        begin = end;
        if (end < text.size()) {
            const auto& special = specials_[static_cast<std::size_t>(first - next.begin())];
            ids.push_back(special.id);
            begin += special.text.size();
        }
        for (std::size_t i = 0; i < next.size(); ++i) {
            if (next[i] < begin) {
                next[i] = find_from(i, begin);
            }
        }
    }
    ids.resize(std::min(ids.size(), room));
    ids.push_back(separate_id_);
    return ids;
}

const std::string& WordPiece::piece(std::int32_t id) const {
    HG_CHECK(id >= 0 && std::cmp_less(id, pieces_.size()), "token id out of range");
    return pieces_[static_cast<std::size_t>(id)];
}

std::u32string WordPiece::normalise(std::string_view text) const {
    std::u32string clean;
    clean.reserve(text.size());
    for (const auto point : decode_utf8(text)) {
        if (is_bert_removed(point)) {
            continue;
        }
        const bool stands_alone = options_.split_ideographs && is_cjk_ideograph(point);
        if (stands_alone) {
            clean.push_back(U' ');
        }
        clean.push_back(is_bert_space(point) ? U' ' : point);
        if (stands_alone) {
            clean.push_back(U' ');
        }
    }
    if (options_.strip_accents) {
        clean = strip_accents(clean);
    }
    if (!options_.lower_case) {
        return clean;
    }
    std::u32string lower;
    lower.reserve(clean.size());
    for (const auto point : clean) {
        append_lower(point, lower);
    }
    return lower;
}

void WordPiece::append_plain(std::string_view text, std::vector<std::int32_t>& ids) const {
    const auto points = normalise(text);
    const std::u32string_view view{points};
    std::size_t begin = 0;
    const auto finish_word = [&](std::size_t end) {
        if (end > begin) {
            append_word(view.substr(begin, end - begin), ids);
        }
    };
    for (std::size_t i = 0; i < view.size() && ids.size() < options_.max_length; ++i) {
        const bool is_space = is_bert_space(view[i]);
        if (!is_space && !is_bert_punctuation(view[i])) {
            continue;
        }
        finish_word(i);
        begin = i;
        if (!is_space) {
            finish_word(i + 1);
        }
        begin = i + 1;
    }
    finish_word(view.size());
}

void WordPiece::append_word(std::u32string_view word, std::vector<std::int32_t>& ids) const {
    if (word.size() > max_word_characters) {
        ids.push_back(unknown_id_);
        return;
    }
    const auto text = encode_utf8(word);
    const auto is_boundary = [&text](std::size_t at) {
        return at == text.size() || (static_cast<unsigned char>(text[at]) & 0xC0U) != 0x80U;
    };
    const auto before = ids.size();
    for (std::size_t begin = 0; begin < text.size();) {
        const auto& index = begin == 0 ? starts_ : continuations_;
        auto end = std::min(text.size(), begin + longest_piece_);
        auto found = index.end();
        for (; end > begin; --end) {
            if (!is_boundary(end)) {
                continue;
            }
            found = index.find(std::string_view{text}.substr(begin, end - begin));
            if (found != index.end()) {
                break;
            }
        }
        if (found == index.end()) {
            ids.resize(before);
            ids.push_back(unknown_id_);
            return;
        }
        ids.push_back(found->second);
        begin = end;
    }
}

}  // namespace hg::encode
