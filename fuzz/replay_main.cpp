// SPDX-License-Identifier: Apache-2.0
// Replays a folder of inputs through a fuzz target, each also cut short at every eighth and with
// one byte flipped at a time, so that the corpus earns its keep in builds without libFuzzer.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int argc, char** argv) {
    if (argc != 2 || !std::filesystem::is_directory(argv[1])) {
        std::fprintf(stderr, "usage: %s CORPUS_FOLDER\n", argv[0]);
        return 2;
    }
    std::size_t runs = 0;
    for (const auto& entry : std::filesystem::directory_iterator{argv[1]}) {
        std::ifstream in{entry.path(), std::ios::binary};
        std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>{in}, {}};
        constexpr std::size_t parts = 8;
        for (std::size_t part = 0; part <= parts; ++part) {
            LLVMFuzzerTestOneInput(bytes.data(), bytes.size() * part / parts);
            ++runs;
        }
        constexpr std::size_t max_flips = 256;
        const std::size_t step = bytes.size() / max_flips + 1;
        for (std::size_t i = 0; i < bytes.size(); i += step) {
            bytes[i] ^= 0x55U;
            LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
            bytes[i] ^= 0x55U;
            ++runs;
        }
    }
    std::printf("%zu inputs survived\n", runs);
    return runs == 0 ? 1 : 0;
}
