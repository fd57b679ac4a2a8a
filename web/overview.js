// The second tab: counts, traffic, the model's own figures.
"use strict";

const charts = {};
const palette = ["#f2a71b", "#3f7d58", "#b8482e", "#7a6c55", "#5b7fa6", "#a56ba0", "#2f9c95", "#c08a8a"];
const traffic = {labels: [], slates: [], events: [], last: null};

function draw(id, type, data, options) {
  Chart.defaults.font.family = "Inter, 'Segoe UI', system-ui, sans-serif";
  Chart.defaults.color = "#7a6c55";
  if (!charts[id]) charts[id] = new Chart($(id), {type, data, options: {animation: false, responsive: true, maintainAspectRatio: false, ...options}});
  else { charts[id].data = data; charts[id].update(); }
}

function tile(label, value) {
  const element = make("div", "tile");
  element.append(make("b", "", typeof value === "number" ? value.toLocaleString("en") : value), make("span", "", label));
  return element;
}

function duration(ms) {
  const s = Math.floor(ms / 1000);
  return s < 60 ? `${s} s` : s < 3600 ? `${Math.floor(s / 60)} min` : `${Math.floor(s / 3600)} h ${Math.floor(s % 3600 / 60)} min`;
}

function showTiles(status) {
  $("tiles").replaceChildren(
    tile("items", status.items), tile("users in the log", status.dataset.users), tile("events in the log", status.dataset.events),
    tile("events received", status.store.events), tile("slates logged", status.store.impressions),
    tile("users in memory", status.sessions), tile("running", duration(status.uptime_ms)));
}

/// What a blend learned about itself: NDCG@10 after so many events, of all parts together and of each alone.
function drawBlend(knots) {
  const line = (label, data, color, width) => ({label, data, borderColor: color, backgroundColor: color, borderWidth: width, pointRadius: width, tension: .2});
  const parts = Object.keys(knots[0].alone).map((name, i) => line(name, knots.map((k) => k.alone[name]), palette[(i + 1) % palette.length], 1));
  draw("chart-fit", "line", {labels: knots.map((k, i) => k.events + (i + 1 === knots.length ? "+" : "")), datasets: [line("blend", knots.map((k) => k["ndcg@10"]), palette[0], 3), ...parts]},
    {plugins: {legend: {position: "right", labels: {boxWidth: 12}}}, scales: {y: {beginAtZero: true, title: {display: true, text: "NDCG@10, held-out users"}}, x: {title: {display: true, text: "events known"}}}});
}

/// The figures between 0 and 1 a fit noted: {"validation": .08, ...}.
function drawNumbers(numbers) {
  draw("chart-fit", "bar", {labels: numbers.map(([name]) => name), datasets: [{data: numbers.map(([, value]) => value), backgroundColor: palette[1], borderRadius: 4}]},
    {plugins: {legend: {display: false}}, scales: {y: {beginAtZero: true}}});
}

function showModel(status) {
  const manifest = status.manifest;
  const fit = manifest.fit || {};
  const numbers = Object.entries(fit).filter(([, value]) => typeof value === "number" && value >= 0 && value <= 1);
  $("fit-title").textContent = `The model: ${status.model}`;
  $("chart-fit").hidden = !Array.isArray(fit.blend) && numbers.length === 0;
  if (Array.isArray(fit.blend)) drawBlend(fit.blend);
  else if (numbers.length) drawNumbers(numbers);
  const facts = [["kind", status.model_kind], ["what", manifest.summary], ["trained on", manifest.dataset && manifest.dataset.name], ["made", manifest.created],
    ["seed", manifest.seed], ["fit took", manifest.seconds === undefined ? undefined : `${Number(manifest.seconds).toFixed(1)} s`],
    ["content", status.encoder || "none"], ["belief", status.has_belief ? "Gaussian, updated by every event" : "none in this model"], ["serves because", status.run_note], ["policy", status.policy],
    ["knobs", `${Object.entries(status.knobs).map(([k, v]) => `${k} ${v}`).join(", ")} (${status.knobs_chosen_by})${status.knobs_note ? `: ${status.knobs_note}` : ""}`]];
  $("facts").replaceChildren(...facts.filter(([, v]) => v !== undefined && v !== null && v !== "").flatMap(([k, v]) => [make("dt", "", k), make("dd", "", String(v))]));
}

function showTraffic(status) {
  const now = {slates: status.recommendations, events: status.store.events, at: Date.now()};
  if (traffic.last) {
    const seconds = Math.max(0.5, (now.at - traffic.last.at) / 1000);
    traffic.labels.push(new Date().toLocaleTimeString("en", {hour12: false}));
    traffic.slates.push((now.slates - traffic.last.slates) / seconds);
    traffic.events.push((now.events - traffic.last.events) / seconds);
    for (const list of [traffic.labels, traffic.slates, traffic.events]) if (list.length > 60) list.shift();
  }
  traffic.last = now;
  const line = (label, data, color) => ({label, data, borderColor: color, backgroundColor: color + "22", fill: true, pointRadius: 0, tension: .3, borderWidth: 2});
  draw("chart-live", "line", {labels: traffic.labels, datasets: [line("slates / s", traffic.slates, palette[0]), line("events / s", traffic.events, palette[1])]},
    {scales: {y: {beginAtZero: true, suggestedMax: 1}, x: {ticks: {maxTicksLimit: 6}}}});
}

function showTypes(status) {
  const types = status.store.by_type;
  $("chart-types").hidden = types.length === 0;
  $("types-note").textContent = types.length ? "" : "No events received yet: like something on the first tab.";
  if (types.length) draw("chart-types", "doughnut", {labels: types.map((t) => t.event), datasets: [{data: types.map((t) => t.events), backgroundColor: palette, borderWidth: 0}]}, {cutout: "62%"});
}

/// What random slots cost and how long until they decide the question; an offer while they are off.
function showCollection(c) {
  const share = `${(100 * c.random_share).toFixed(1)} % of slots`;
  $("collection-note").textContent = c.is_on ? `On: ${share} are drawn from the best ${c.random_candidates}.` : `Off. At ${share} (serve --collect ${c.random_share}) it would be:`;
  const known = (value, text) => (value === null ? "not known yet" : text(value));
  const figure = (value) => (Math.abs(value) < 0.01 ? value.toExponential(1) : value.toLocaleString("en", {maximumFractionDigits: value < 10 ? 2 : 0}));
  const facts = [
    ["clicks a slot, as shown", known(c.clicks_per_slot, (v) => v.toFixed(4))],
    ["clicks a slot, at random", known(c.clicks_per_random_slot, (v) => v.toFixed(4))],
    ["cost", known(c.clicks_lost_per_day, (v) => `${figure(v)} ± ${figure(c.clicks_lost_per_day_95)} clicks a day`)],
    ["question", known(c.question, String)],
    ["random slots needed", known(c.random_slots_needed, figure)],
    ["decided after", known(c.days, (v) => `${figure(v)} days`)]];
  $("collection").replaceChildren(...facts.flatMap(([k, v]) => [make("dt", "", k), make("dd", "", v)]));
}

function showPopular({items}) {
  draw("chart-popular", "bar", {labels: items.map((i) => (i.title || i.item_id).slice(0, 28)), datasets: [{data: items.map((i) => i.events), backgroundColor: palette[0], borderRadius: 4}]},
    {indexAxis: "y", plugins: {legend: {display: false}}, scales: {x: {beginAtZero: true}}});
}

async function refreshOverview() {
  const [status, popular] = await Promise.all([call("GET", "/v1/status"), call("GET", "/v1/popular?k=10")]);
  $("model").textContent = `${status.model} on ${status.dataset.name}`;
  if ($("overview").hidden) return;
  showTiles(status);
  showModel(status);
  showTraffic(status);
  showTypes(status);
  showCollection(status.collection);
  showPopular(popular);
}
