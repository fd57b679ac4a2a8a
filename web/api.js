// Talking to the server: one function, errors as {code, message, hint}, a key only when one is asked for.
"use strict";

const $ = (id) => document.getElementById(id);

async function call(method, path, body) {
  const headers = {};
  const key = sessionStorage.getItem("honeyguide-key");
  if (key) headers.Authorization = "Bearer " + key;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await fetch(path, {method, headers, body: body === undefined ? undefined : JSON.stringify(body)});
  if (answer.status === 401) {
    await askForKey();
    return call(method, path, body);
  }
  const text = await answer.text();
  const value = text.startsWith("{") ? JSON.parse(text) : text;
  if (!answer.ok) throw Object.assign(new Error(value.message || answer.statusText), {status: answer.status, hint: value.hint});
  return value;
}

function askForKey() {
  return new Promise((done) => {
    const dialog = $("key-dialog");
    dialog.onclose = () => { sessionStorage.setItem("honeyguide-key", $("key").value.trim()); done(); };
    if (!dialog.open) dialog.showModal();
  });
}

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

let toastTimer = 0;
function toast(text, isBad) {
  const element = $("toast");
  element.textContent = text;
  element.className = isBad ? "shown bad" : "shown";
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { element.className = ""; }, 3200);
}

const fail = (error) => toast(error.hint ? `${error.message}: ${error.hint}` : error.message, true);
const randomId = () => Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => b.toString(16).padStart(2, "0")).join("");
