"use strict";
// What all parts of the page use. It asks this computer only, and nothing that a user typed becomes markup.

const $ = (id) => document.getElementById(id);
const MOST_BYTES = 64 * 1024 * 1024;
const KEPT = "advmask-choices";

let offers = null;
let choices = null;
let shownPhoto = null;
let timer = 0;

function made(tag, values = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(values)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

function say(sentence) {
  $("notice").textContent = sentence || "";
  $("notice").hidden = !sentence;
  if (sentence) $("notice").scrollIntoView({ block: "nearest" });
}

async function ask(address, given, { raw = false, whole = false, body = null } = {}) {
  const wanted = given === undefined && body === null
    ? {} : { method: "POST", headers: { "X-Advmask-Studio": "1" }, body: body ?? JSON.stringify(given) };
  let answer;
  try {
    answer = await fetch(address, wanted);
  } catch {
    throw new Error(t("The studio does not answer. Start it again with advmask studio, and open the address it prints; designs in progress go on."));
  }
  if (!answer.ok) throw new Error((await answer.json()).error);
  return whole ? answer : raw ? answer.blob() : answer.json();
}

const trying = (work) => async (...args) => {
  try { say(""); return await work(...args); } catch (error) { say(error.message); return null; }
};
