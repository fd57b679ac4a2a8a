// SPDX-License-Identifier: Apache-2.0
// The report's style sheet: light and dark by the reader's setting, prints well, no fonts or links.
#pragma once

#include <string_view>

namespace hg::app {

constexpr std::string_view report_style = R"(
:root { color-scheme: light dark; --ink: #1c2230; --soft: #5b6475; --line: #e3e6ec; --page: #fbfbfd; --card: #fff; --good: #00704f; --bad: #b3261e; --warn: #fff6e0; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaf0; --soft: #a3abbb; --line: #343b49; --page: #14171d; --card: #1c2029; --good: #4cc38a; --bad: #ff8a80; --warn: #3a2f12; } }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 1240px; margin: 0 auto; padding: 28px 20px 60px; }
h1 { font-size: 28px; margin: 0 0 4px; } h2 { font-size: 20px; margin: 44px 0 4px; } h3 { font-size: 15px; margin: 0 0 2px; }
p.lead, p.small { color: var(--soft); margin: 0 0 14px; } p.small { font-size: 13px; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 10px; margin: 18px 0; }
.facts div, figure, .table { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.facts div { padding: 10px 14px; } .facts b { display: block; font-size: 19px; } .facts span { color: var(--soft); font-size: 13px; }
.table { overflow-x: auto; margin: 12px 0; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 13.5px; }
th, td { padding: 7px 9px; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); } th { color: var(--soft); font-weight: 600; }
th:first-child, td:first-child { text-align: left; } tr:last-child td { border-bottom: 0; } td.best { font-weight: 700; } td.up { color: var(--good); } td.down { color: var(--bad); } td.text { text-align: left; color: var(--soft); white-space: normal; }
.swatch { display: inline-block; width: 10px; height: 10px; border-radius: 3px; margin-right: 7px; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 460px), 1fr)); gap: 14px; }
figure.words ul { margin: 8px 0; padding-left: 20px; } figure.words li { margin: 6px 0; }
figure { margin: 0; padding: 14px 16px 8px; } figcaption { color: var(--soft); font-size: 13px; margin-bottom: 6px; }
svg { width: 100%; height: auto; font: 13px system-ui, sans-serif; } svg text { fill: var(--ink); } svg .tick { fill: var(--soft); font-size: 12px; } svg .axis { fill: var(--soft); font-size: 12px; } svg .grid { stroke: var(--line); stroke-width: 1; } svg .zero { stroke: var(--soft); stroke-width: 1.5; }
ul.notes { margin: 10px 0; padding: 10px 14px 10px 30px; background: var(--warn); border-radius: 10px; font-size: 14px; }
footer { margin-top: 48px; color: var(--soft); font-size: 13px; border-top: 1px solid var(--line); padding-top: 12px; }
@media print { body { background: #fff; } figure, .table { break-inside: avoid; } }
)";

}  // namespace hg::app
