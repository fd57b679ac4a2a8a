// The first tab: a user, the slate, like and skip, and what changes after each.
"use strict";

const session = {user: "", slate: null, shown: new Set(), traits: new Map(), wishes: [], isNew: false};
const knobNames = {exploration: "Try what we are unsure of", novelty: "Lesser known", content: "Like my likes", diversity: "More varied"};

/// A calm colour of an item's own, from its id.
function cover(item) {
  let hash = 7;
  for (const c of item.item_id) hash = (hash * 31 + c.codePointAt(0)) >>> 0;
  const hue = 18 + hash % 190;
  return `linear-gradient(135deg, hsl(${hue} 46% 46%), hsl(${(hue + 32) % 360} 48% 33%))`;
}

function initials(title) {
  return title.replace(/^(The|A|An) /, "").split(/\s+/).filter((w) => /[\p{L}\p{N}]/u.test(w)).slice(0, 2)
    .map((w) => [...w.replace(/[^\p{L}\p{N}]/gu, "")][0] || "").join("").toUpperCase() || "·";
}

function itemCard(item, position) {
  const card = make("article", "item");
  if (session.shown.size && !session.shown.has(item.item_id)) card.classList.add("fresh");
  card.dataset.item = item.item_id;
  card.style.animationDelay = `${position * 30}ms`;
  const name = item.title || item.item_id;
  const top = make("div", "cover");
  top.style.background = cover(item);
  top.append(make("b", "", initials(name)), make("span", "", `${position + 1}`));
  if (item.explore) {
    const mark = make("em", "explore", "exploring");
    mark.title = "The ranker alone would not have shown this: we want to learn";
    top.append(mark);
  }
  const body = make("div", "body");
  body.append(make("h3", "", name), make("p", item.because ? "reason because" : "reason", item.reason));
  const figures = make("div", "figures");
  figures.append(make("span", "", `score ${item.score.toPrecision(3)}`), make("span", "", `shown with p = ${item.propensity.toPrecision(2)}`));
  const actions = make("div", "actions");
  const like = make("button", "like", "Like");
  const skip = make("button", "skip", "Skip");
  like.onclick = () => answer(item, position, "like");
  skip.onclick = () => answer(item, position, "skip");
  actions.append(like, skip);
  card.append(top, body, figures, actions);
  return card;
}

async function answer(item, position, event) {
  try {
    const started = performance.now();
    const {results} = await call("POST", "/v1/events", {events: [{
      event_id: randomId(), user_id: session.user, item_id: item.item_id, event, position,
      recommendation_id: session.slate.recommendation_id,
    }]});
    if (results[0].status !== "stored") throw new Error(`the event is ${results[0].status}`);
    const ms = performance.now() - started;
    toast(`${event === "like" ? "Liked" : "Skipped"} ${item.title || item.item_id}: on the disk after ${ms.toFixed(0)} ms, the next slate knows it`);
    await refresh();
  } catch (error) { fail(error); }
}

function showSlate(slate) {
  session.slate = slate;
  const cards = slate.items.map(itemCard);
  $("slate").replaceChildren(...(cards.length ? cards : [make("p", "empty", "Nothing left to show: everything was seen. Tick “show seen”.")]));
  session.shown = new Set(slate.items.map((item) => item.item_id));
  $("policy").textContent = `${slate.model} · ${slate.policy}`;
  document.body.dataset.slate = String(slate.items.length);
}

function traitRow(trait, scale) {
  const row = make("div", "trait");
  const bar = make("div", "bar");
  const fill = make("i", trait.preference >= 0 ? "up" : "down");
  const width = 50 * Math.min(1, Math.abs(trait.preference) / scale);
  fill.style.width = `${width}%`;
  fill.style.left = trait.preference >= 0 ? "50%" : `${50 - width}%`;
  bar.append(fill);
  const before = session.traits.get(trait.field + trait.name);
  const change = before === undefined ? 0 : trait.preference - before;
  const delta = make("span", "delta", Math.abs(change) < 0.005 ? "" : (change > 0 ? "+" : "−") + Math.abs(change).toFixed(2));
  if (delta.textContent) delta.classList.add(change > 0 ? "up" : "down");
  const name = make("span", "name", trait.name);
  name.title = `${trait.field}: ${trait.name}, ${trait.preference.toFixed(2)} standard deviations`;
  const more = wishButton("+", trait, 1);
  const less = wishButton("−", trait, -1);
  row.append(name, bar, delta, less, more);
  return row;
}

const address = (rest) => `/v1/users/${encodeURIComponent(session.user)}/${rest}`;

/// Sends a change of the user's settings, says so, and draws again.
async function change(method, rest, body, said) {
  try {
    await call(method, address(rest), body);
    toast(said);
    await refresh();
  } catch (error) { fail(error); }
}

/// One step more or less of a trait; a wish that comes to 0 is gone.
function wish(trait, step) {
  const same = (w) => w.field === trait.field && w.name === trait.name;
  const before = session.wishes.find(same);
  const preference = Math.max(-3, Math.min(3, (before ? before.preference : 0) + step));
  const traits = session.wishes.filter((w) => !same(w));
  if (preference !== 0) traits.push({field: trait.field, name: trait.name, preference});
  return change("PUT", "traits", {traits}, `${step > 0 ? "More" : "Less"} ${trait.name}`);
}

function wishButton(text, trait, step) {
  const button = make("button", "step", text);
  button.title = `${step > 0 ? "more" : "less"} ${trait.name}`;
  button.dataset.wish = `${trait.name} ${step}`;
  button.onclick = () => wish(trait, step);
  return button;
}

function showWishes(wishes) {
  session.wishes = wishes;
  $("wishes").replaceChildren(...wishes.map((w) =>
    make("span", w.preference > 0 ? "wish up" : "wish down", `${w.preference > 0 ? "more" : "less"} ${w.name}${Math.abs(w.preference) > 1 ? " ×" + Math.abs(w.preference) : ""}`)));
  $("reset-wishes").hidden = wishes.length === 0;
}

function showKnobs(knobs) {
  $("knobs-by").textContent = knobs.by_hand ? "(yours)" : knobs.chosen_by ? `(${knobs.chosen_by})` : "";
  $("reset-knobs").hidden = !knobs.by_hand;
  $("knobs").replaceChildren(...Object.entries(knobNames).map(([name, words]) => {
    const row = make("label", "knob");
    const slider = Object.assign(document.createElement("input"), {type: "range", min: name === "diversity" ? 0 : -2, max: 2, step: 0.1, value: knobs[name] || 0});
    slider.id = `knob-${name}`;
    const number = make("output", "number", Number(knobs[name] || 0).toFixed(1));
    slider.oninput = () => { number.textContent = Number(slider.value).toFixed(1); };
    slider.onchange = () => {
      const body = Object.fromEntries(Object.keys(knobNames).map((n) => [n, Number($(`knob-${n}`).value)]));
      change("PUT", "knobs", body, `${words}: ${slider.value}`);
    };
    row.append(make("span", "", words), slider, number);
    return row;
  }));
}

function showBelief(belief) {
  const unknown = belief.uncertainty;
  $("uncertainty").textContent = unknown === undefined ? "–" : `${(100 * unknown).toFixed(0)} %`;
  $("uncertainty-bar").style.width = unknown === undefined ? "0" : `${100 * unknown}%`;
  const scale = Math.max(1, ...belief.traits.map((t) => Math.abs(t.preference)));
  const rows = belief.traits.slice(0, 10).map((trait) => traitRow(trait, scale));
  $("traits").replaceChildren(...rows);
  session.traits = new Map(belief.traits.map((t) => [t.field + t.name, t.preference]));
  $("belief-note").textContent = belief.n_events === 0
    ? "Nothing yet: the slate is what most people like."
    : `${belief.n_liked} of the last ${belief.n_events} events were likes.`;
  showWishes(belief.wishes || []);
}

function showHistory(user) {
  $("history-size").textContent = user.history_size ? `(${user.history_size})` : "";
  $("history").replaceChildren(...user.history.map((event) => {
    const row = make("li");
    row.append(make("span", `mark ${event.weight > 0 ? "up" : event.weight < 0 ? "down" : ""}`), make("span", "grow", event.title || event.item_id));
    if (event.event_id) {
      const forget = make("button", "step", "×");
      forget.title = "forget this event: everything is computed again without it";
      forget.dataset.forget = event.event_id;
      forget.onclick = () => change("DELETE", `events/${encodeURIComponent(event.event_id)}`, undefined, `Forgotten: ${event.title || event.item_id}`);
      row.append(forget);
    }
    return row;
  }));
}

/// What a newcomer is asked for; no tap means "I don't know it" and is not sent.
async function askNewcomer() {
  const {items} = await call("GET", "/v1/onboarding?k=10");
  $("ask-items").replaceChildren(...items.map((item) => {
    const chip = make("button", "ask-item", item.title || item.item_id);
    chip.dataset.ask = item.item_id;
    chip.onclick = async () => {
      chip.disabled = true;
      chip.classList.add("known");
      try {
        await call("POST", "/v1/events", {events: [{event_id: randomId(), user_id: session.user, item_id: item.item_id, event: "like"}]});
        await refresh();
      } catch (error) { chip.disabled = false; chip.classList.remove("known"); fail(error); }
    };
    return chip;
  }));
  $("ask").hidden = items.length === 0;
}

async function refresh() {
  const wish = {user_id: session.user, k: 12, explain: $("explain").checked, seen: $("seen").checked ? "allow" : "hide"};
  const nobody = {history: [], history_size: 0, belief: {n_events: 0, n_liked: 0, traits: []}, knobs: {}};
  const known = call("GET", `/v1/users/${encodeURIComponent(session.user)}?events=0`)
    .catch((error) => { if (error.status === 404) return nobody; throw error; });
  const [slate, user] = await Promise.all([call("POST", "/v1/recommend", wish), known]);
  showSlate(slate);
  showBelief(user.belief);
  showKnobs(user.knobs);
  showHistory(user);
  session.isNew = user.history_size === 0;
  $("user-note").textContent = user.history_size ? `A user with ${user.history_size} events.` : "Never seen before: served all the same.";
}

async function choose(user) {
  session.user = user;
  session.shown = new Set();
  session.traits = new Map();
  $("user").value = user;
  $("headline").textContent = `For ${user}`;
  $("ask").hidden = true;
  await refresh().catch(fail);
  if (session.isNew) await askNewcomer().catch(fail);
}

async function startRecommendations() {
  const {users} = await call("GET", "/v1/users?k=24");
  $("users").replaceChildren(...users.map((user) => {
    const option = make("option");
    option.value = user.user_id;
    option.label = `${user.events} events`;
    return option;
  }));
  $("user-form").onsubmit = (event) => {
    event.preventDefault();
    const user = $("user").value.trim();
    if (user) choose(user);
  };
  $("stranger").onclick = () => choose(`visitor-${randomId().slice(0, 6)}`);
  for (const id of ["explain", "seen"]) $(id).onchange = () => refresh().catch(fail);
  $("reset-wishes").onclick = () => change("DELETE", "traits", undefined, "No wishes");
  $("reset-knobs").onclick = () => change("DELETE", "knobs", undefined, "The policy chooses again");
  $("ask-done").onclick = () => { $("ask").hidden = true; };
  $("again").onclick = () => refresh().catch(fail);
  const wanted = new URLSearchParams(location.search).get("user");
  await choose(wanted || (users.length ? users[0].user_id : "visitor"));
}
