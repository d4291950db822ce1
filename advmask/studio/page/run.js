"use strict";
// One design: how far it is, its stages and meters, and all designs as a gallery.

const showDesigns = trying(async () => {
  const runs = await ask("api/runs");
  $("no-designs").hidden = runs.length > 0;
  $("place").textContent = t("All of it lies in {0}.", offers.folder);
  $("gallery").replaceChildren(...runs.map((run) => {
    const frame = made("div", { class: "frame" }, run.version
      ? made("img", { src: `runs/${run.name}/worn.jpg?v=${run.version}`, alt: "", loading: "lazy" }) : t("not started"));
    const state = run.working ? `${t(WORDS.working[run.working])} …` : run.finished ? t("Done") : t("Stopped");
    const day = new Date(run.made * 1000).toLocaleDateString(document.documentElement.lang, { day: "numeric", month: "long" });
    return made("a", { href: `#/design/${run.name}` }, frame, made("strong", {}, run.title), made("small", {}, `${state} · ${day}`));
  }));
});

let run = null;
let stage = null;
let poll = 0;
let shownPicture = "";
let pace = null;

const showRun = trying(async (name) => {
  if (!run || run.name !== name) { run = null; stage = null; shownPicture = ""; pace = null; $("prints").replaceChildren(); $("report").hidden = true; $("report").removeAttribute("src"); }
  const state = await ask(`api/runs/${name}`);
  if (location.hash !== `#/design/${name}`) return;
  const first = run === null;
  run = state;
  drawRun(first);
  clearTimeout(poll);
  poll = setTimeout(() => { if (location.hash === `#/design/${name}`) showRun(name); }, run.working ? 1000 : 4000);
});

function minutes(seconds) {
  if (seconds < 50) return t("less than a minute left");
  return seconds < 90 ? t("about a minute left") : t("about {0} minutes left", Math.round(seconds / 60));
}

function stateWords() {
  if (run.working === "design") {
    if (run.finished) return t("Checking what it does …");
    if (!run.step) return t("Getting the face and the mask ready …");
    const now = performance.now() / 1000;
    pace ??= { at: now, step: run.step };
    const left = run.step > pace.step ? ` · ${minutes((now - pace.at) / (run.step - pace.step) * (run.steps - run.step))}` : "";
    return `${t("Designing: {0} of {1} steps", run.step, run.steps)}${left}. ${t("You may close this page; it goes on.")}`;
  }
  if (run.working) return `${t(WORDS.working[run.working])} …`;
  if (run.trouble) return t("That did not work: {0}", run.trouble);
  return run.finished ? t("Done.") : t("Stopped after {0} of {1} steps.", run.step, run.steps);
}

function drawRun(first) {
  $("run-title").textContent = run.title;
  document.title = `${run.title} · advmask studio`;
  $("run-state").textContent = stateWords();
  const designing = run.working === "design";
  $("run-progress").hidden = run.finished && !designing;
  const share = Math.round(100 * Math.min(1, run.step / run.steps));
  $("run-progress").setAttribute("aria-valuenow", share);
  $("run-progress").firstElementChild.style.width = `${share}%`;
  $("stop").hidden = !run.working;
  $("go-on").hidden = Boolean(run.working) || run.finished;
  $("delete").hidden = Boolean(run.working);
  $("command-run").textContent = run.command || "";
  $("run-place").textContent = run.place;
  drawFilm(); drawMeters(); drawPrints();
  $("measure-part").hidden = !run.finished;
  $("measure").disabled = Boolean(run.working); $("print").disabled = Boolean(run.working);
  $("report-link").hidden = !run.measured;
  $("report-link").href = `runs/${run.name}/report.html`;
  if (run.measured && $("report").hidden && run.working !== "measure") { $("report").hidden = false; $("report").src = `runs/${run.name}/report.html?v=${Date.now()}`; }
  if (run.working === "measure") $("report").hidden = true;
  $("print-part").hidden = !run.finished && !run.states.length;
  $("share-part").hidden = !run.finished && !run.states.length;
  if (first) { $("print-printer").value = run.choices.printer; }
  const state = stage === null ? "" : `&state=${stage}`;
  for (const shape of ["square", "portrait"]) $(`share-${shape}`).href = `runs/${run.name}/share.jpg?shape=${shape}${state}`;
  const card = run.prints.find((set) => set.files.some((file) => file.name === "card.png"));
  $("share-card").hidden = !card;
  if (card) $("share-card").href = `runs/${run.name}/prints/${card.name}/card.png?keep=1`;
  drawRunPicture(false);
}

function drawRunPicture(force) {
  if (!run || camera) return;
  const show = radio("run-show"), image = $("run-worn");
  const state = stage === null ? "" : `&state=${stage}`;
  const address = show === "bare" ? `runs/${run.name}/bare.jpg` : `runs/${run.name}/${show === "flat" ? "flat.png" : "worn.jpg"}?v=${run.version}${state}`;
  $("run-says").textContent = stage !== null ? t("After {0} steps", stage) : run.version ? "" : t("The first picture comes soon");
  if (!run.version && show !== "bare") { image.hidden = true; shownPicture = ""; return; }
  if (!force && address === shownPicture) return;
  shownPicture = address;
  const next = new Image();
  next.onload = () => { if (shownPicture === address) { image.src = address; image.hidden = false; image.alt = `${run.title}, ${show}`; } };
  next.onerror = () => { shownPicture = ""; };
  next.src = address;
}

let filmOf = "";
function drawFilm() {
  $("film-part").hidden = run.states.length < 2;
  if (run.states.length < 2) return;
  const key = `${run.name} ${run.states.join()} ${stage} ${run.finished}`;
  if (key === filmOf) return;
  filmOf = key;
  const every = Math.max(1, Math.ceil(run.states.length / 24));
  const shown = run.states.filter((_, place) => place % every === 0 || place === run.states.length - 1);
  const latest = made("button", { type: "button", class: "thumb", "aria-pressed": String(stage === null), onclick: () => { stage = null; drawRun(false); } },
    made("img", { src: `runs/${run.name}/flat.png?v=${run.version}`, alt: "" }), made("span", {}, run.finished ? t("end") : t("now")));
  $("film").replaceChildren(latest, ...shown.toReversed().map((step) => made("button", {
    type: "button", class: "thumb", "aria-pressed": String(stage === step), "aria-label": t("After {0} steps", step),
    onclick: () => { stage = step; drawRun(false); },
  }, made("img", { src: `runs/${run.name}/flat.png?state=${step}`, alt: "", loading: "lazy" }), made("span", {}, String(step)))));
}

function meter(label, value, mine) {
  const bar = made("span");
  bar.style.width = `${Math.round(100 * value)}%`;
  return made("div", { class: mine ? "meter this" : "meter" }, made("span", {}, label),
    made("div", { class: "track", role: "img", "aria-label": `${Math.round(100 * value)} %` }, bar), made("b", {}, `${Math.round(100 * value)} %`));
}

function curve(values) {
  const space = "http://www.w3.org/2000/svg", drawing = document.createElementNS(space, "svg");
  drawing.setAttribute("viewBox", "0 0 100 100"); drawing.setAttribute("preserveAspectRatio", "none"); drawing.setAttribute("class", "curve");
  drawing.setAttribute("role", "img"); drawing.setAttribute("aria-label", t("Its course so far"));
  const line = document.createElementNS(space, "line");
  for (const [name, value] of [["x1", 0], ["x2", 100], ["y1", 50], ["y2", 50]]) line.setAttribute(name, value);
  const path = document.createElementNS(space, "path"), whole = Math.max(1, values.length - 1);
  path.setAttribute("d", values.map((value, place) => `${place ? "L" : "M"}${(100 * place / whole).toFixed(2)} ${(100 - 100 * value).toFixed(2)}`).join(""));
  drawing.append(line, path);
  return drawing;
}

let metersOf = "";
function drawMeters() {
  const curves = Object.entries(run.curves);
  $("meters-part").hidden = !curves.length && !run.meters.length;
  const key = JSON.stringify([run.name, run.step, run.meters]);
  if (key === metersOf) return;
  metersOf = key;
  const parts = [];
  for (const [name, values] of curves) {
    if (!values.length) continue;
    const checked = run.meters.find((each) => each.recognizer === name);
    parts.push(made("p", { class: "meter-head" }, name));
    if (checked) for (const [condition, value] of Object.entries(checked.confidence)) parts.push(meter(t(WORDS.conditions[condition] || condition), value, condition === "design"));
    else {
      const last = values.slice(-3);
      parts.push(meter(t(WORDS.conditions.design), last.reduce((sum, value) => sum + value, 0) / last.length, true));
    }
    parts.push(curve(values));
  }
  $("meters").replaceChildren(...parts);
}
