// The second tab: counts, traffic, the model's own figures.
"use strict";

const charts = {};
const palette = ["#f2a71b", "#3f7d58", "#b8482e", "#7a6c55", "#5b7fa6", "#a56ba0"];
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

/// Numbers of the manifest's fit notes, one level of nesting flattened: {"ndcg@10": .08, "validation/hit": .2}.
function fitNumbers(fit, prefix = "", out = []) {
  for (const [key, value] of Object.entries(fit || {})) {
    if (typeof value === "number") out.push([prefix + key, value]);
    else if (value && typeof value === "object" && !Array.isArray(value) && !prefix) fitNumbers(value, key + "/", out);
  }
  return out;
}

function showModel(status) {
  const manifest = status.manifest;
  $("fit-title").textContent = `The model: ${status.model}`;
  const numbers = fitNumbers(manifest.fit).filter(([, v]) => v >= 0 && v <= 1).slice(0, 12);
  $("chart-fit").parentElement.hidden = false;
  $("chart-fit").hidden = numbers.length === 0;
  if (numbers.length) {
    draw("chart-fit", "bar", {labels: numbers.map(([k]) => k), datasets: [{data: numbers.map(([, v]) => v), backgroundColor: palette[1], borderRadius: 4}]},
      {plugins: {legend: {display: false}}, scales: {y: {beginAtZero: true}}});
  }
  const facts = [["kind", status.model_kind], ["what", manifest.summary], ["trained on", manifest.dataset && manifest.dataset.name], ["made", manifest.created],
    ["seed", manifest.seed], ["fit took", manifest.seconds === undefined ? undefined : `${Number(manifest.seconds).toFixed(1)} s`],
    ["content", status.encoder || "none"], ["belief", status.has_belief ? "Gaussian, updated by every event" : "none in this model"], ["policy", status.policy]];
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
  showPopular(popular);
}
