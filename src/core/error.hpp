// SPDX-License-Identifier: Apache-2.0
// Error: what went wrong, where, and what to do next; Result<T> for failures that are ordinary
// data.
//
// Three kinds of failure, three tools:
//   * a programming mistake       -> HG_CHECK(condition, "...")  throws std::logic_error, on in
//                                                                release
//   * the task could not be done  -> throw Error{...}            caught in app/, at the request
//                                                                boundary, and where the work can
//                                                                go on without it or must say where
//                                                                it was
//   * failure is ordinary data    -> Result<T>                   bad CSV line, unknown user,
//                                                                invalid field
//
//   return fail(ErrorCode::invalid_argument, "a.csv:12: rating \"x\" is not a number", "use 1-5");
//   HG_TRY(auto table, read_table(path));  // returns the error to the caller
#pragma once

#include <cstdint>
#include <expected>
#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace hg {

enum class ErrorCode : std::uint8_t {
    invalid_argument,  // the input is wrong; the caller can mend it
    not_found,         // a file, id or name that does not exist
    corrupt,           // bytes that are not what their format promises
    conflict,          // a second, different thing under the same name
    exhausted,         // disk, memory, quota or rate used up
    unavailable,       // cannot be done now, may be later
    interrupted,       // a person asked to stop; progress is saved
    internal,          // our fault
};

[[nodiscard]] std::string_view to_string(ErrorCode code) noexcept;

/// Exit status of the program for an error of this kind: 2 for usage, 130 for an interrupt, else 1.
[[nodiscard]] int exit_code(ErrorCode code) noexcept;

/// What went wrong (what, where, found, expected) and the next step for whoever must mend it.
/// `what()` is "message; hint". Copyable, no ownership of anything else.
class Error : public std::runtime_error {
  public:
    Error(ErrorCode code, std::string message, std::string hint = {});

    [[nodiscard]] ErrorCode code() const noexcept { return code_; }

    [[nodiscard]] const std::string& message() const noexcept { return message_; }

    [[nodiscard]] const std::string& hint() const noexcept { return hint_; }

  private:
    ErrorCode code_;
    std::string message_;
    std::string hint_;
};

template <typename T>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(
    ErrorCode code, std::string message, std::string hint = {}
) {
    return std::unexpected<Error>(Error{code, std::move(message), std::move(hint)});
}

/// The value, or the error thrown: for callers whose task cannot go on without it.
template <typename T>
[[nodiscard]] T value_or_throw(Result<T> result) {
    if (!result) {
        throw std::move(result.error());
    }
    return std::move(*result);
}

inline void value_or_throw(Result<void> result) {
    if (!result) {
        throw std::move(result.error());
    }
}

[[noreturn]] void check_failed(
    const char* condition, std::string_view message, std::source_location where
);

}  // namespace hg

// NOLINTNEXTLINE(cppcoreguidelines-macro-usage): the text of the condition is part of the message.
#define HG_CHECK(condition, message)                                                    \
    do {                                                                                \
        if (!(condition)) [[unlikely]] {                                                \
            ::hg::check_failed(#condition, (message), std::source_location::current()); \
        }                                                                               \
    } while (false)

#define HG_CONCAT_INNER(a, b) a##b
#define HG_CONCAT(a, b) HG_CONCAT_INNER(a, b)
#define HG_TRY_IMPL(temporary, declaration, ...)                           \
    auto temporary = (__VA_ARGS__);                                        \
    if (!temporary) {                                                      \
        return std::unexpected<::hg::Error>(std::move(temporary.error())); \
    }                                                                      \
    declaration = std::move(*temporary)
/// HG_TRY(auto x, f()): x = the value of f(), or return its error from the enclosing function.
#define HG_TRY(declaration, ...) HG_TRY_IMPL(HG_CONCAT(hg_try_, __LINE__), declaration, __VA_ARGS__)
