"use strict";
// The page of the studio. It asks this computer only, and nothing that a user typed ever becomes markup.

const $ = (id) => document.getElementById(id);
const MOST_BYTES = 64 * 1024 * 1024;
const KEPT = "advmask-choices";

const WORDS = {
  masks: {
    contour: ["Contour", "one piece, stretch fabric"], panelled: ["Two halves", "a seam down the middle, woven cloth"],
    pleated: ["Pleated", "a rectangle with folds"],
  },
  printers: {
    none: "not decided", office_inkjet: "an inkjet at home", sublimation: "sublimation (print shop)",
    direct_to_garment: "direct to garment", laser_transfer: "laser and iron-on foil",
  },
  wheres: {
    indoor: "indoors", outdoor: "outdoors", cctv: "under a surveillance camera", screen: "on a screen only",
    none: "nowhere (exact colours)", full: "everywhere at once",
  },
  conditions: {
    bare: "Bare face", white: "White mask", surgical_blue: "Blue mask", black: "Black mask", design: "This design",
  },
  working: { design: "Designing", measure: "Measuring", print: "Making the print files" },
};

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

async function ask(address, given, { raw = false, body = null } = {}) {
  const wanted = given === undefined && body === null
    ? {} : { method: "POST", headers: { "X-Advmask-Studio": "1" }, body: body ?? JSON.stringify(given) };
  let answer;
  try {
    answer = await fetch(address, wanted);
  } catch {
    throw new Error("The studio does not answer. Start it again with advmask studio, and open the address it prints; designs in progress go on.");
  }
  if (!answer.ok) throw new Error((await answer.json()).error);
  return raw ? answer.blob() : answer.json();
}

const trying = (work) => async (...args) => {
  try { say(""); return await work(...args); } catch (error) { say(error.message); return null; }
};

// ---- New design ------------------------------------------------------------------------------------------

const radio = (name) => document.querySelector(`input[name="${name}"]:checked`)?.value;
function tick(name, value) {
  const found = document.querySelector(`input[name="${name}"][value="${CSS.escape(String(value))}"]`);
  if (found) found.checked = true;
}

function thumb(kind, name, pressed, press, ship) {
  const labels = { drawing: "Drawing", photo: "Photo" };
  const button = made("button", {
    type: "button", class: "thumb", "aria-pressed": String(pressed), "aria-label": `${labels[kind]} ${ship ? name : ""}`.trim(),
    onclick: press,
  }, made("img", { src: `pictures/${kind}/${name}`, alt: "", loading: "lazy" }));
  if (ship) return button;
  const remove = made("button", { type: "button", class: "cross", "aria-label": `Delete this ${kind}`, onclick: trying(async () => {
    await ask(`api/forget/${kind}/${name}`, {});
    if (kind === "drawing" && choices.drawing === name) choices.drawing = null;
    choices.photos = choices.photos.filter((each) => each !== name);
    if (!choices.photos.length) choices.photos = ["portrait"];
    if (shownPhoto === name) shownPhoto = choices.photos[0];
    await refresh();
  }) }, "×");
  return made("div", { class: "with-cross" }, button, remove);
}

const shipped = (name) => !/^[0-9a-f]{24}$/.test(name);

function drawPictures() {
  const drawings = [made("button", {
    type: "button", class: "thumb", "aria-pressed": String(choices.drawing === null),
    onclick: () => { choices.drawing = null; if (choices.style === "motif") choices.style = "palette"; changed(); },
  }, "plain grey")];
  for (const name of offers.drawings) {
    drawings.push(thumb("drawing", name, choices.drawing === name, () => choose(name), shipped(name)));
  }
  $("drawings").replaceChildren(...drawings);
  const photos = offers.photos.map((name) => thumb("photo", name, choices.photos.includes(name), () => {
    if (name === "portrait") choices.photos = ["portrait"];
    else {
      const own = choices.photos.filter((each) => each !== "portrait");
      choices.photos = own.includes(name) && own.length > 1 && shownPhoto === name
        ? own.filter((each) => each !== name) : [...new Set([...own, name])];
    }
    shownPhoto = choices.photos.includes(name) ? name : choices.photos[0];
    changed();
  }, shipped(name)));
  const input = made("input", { type: "file", id: "file-photo", accept: "image/*", multiple: true, class: "seen-by-readers",
    onchange: (event) => upload("photo", event.target.files) });
  const add = made("label", { class: "thumb add", id: "drop-photo" }, input, made("span", {}, "+ your photos"));
  droppable(add, "photo");
  $("photos").replaceChildren(add, ...photos);
}

async function choose(name) {
  choices.drawing = name;
  if (choices.style === "palette") await takeInks();
  changed();
}

const takeInks = trying(async () => {
  if (choices.drawing === null) return;
  const found = await ask("api/inks", { drawing: choices.drawing, count: Number($("ink-count").value) });
  choices.inks = found.inks;
});

function drawInks() {
  const inks = choices.inks.map((ink, place) => {
    const input = made("input", { type: "color", value: ink, "aria-label": `Ink ${place + 1}`, oninput: (event) => {
      choices.inks[place] = event.target.value; changed({ keepInks: true });
    } });
    const remove = made("button", { type: "button", class: "cross", "aria-label": `Remove ink ${place + 1}`, onclick: () => {
      choices.inks.splice(place, 1); changed();
    } }, "×");
    return made("div", { class: "with-cross" }, input, ...(choices.inks.length > 2 ? [remove] : []));
  });
  const more = made("button", { type: "button", class: "more", "aria-label": "Add an ink", onclick: () => {
    const spare = ["#2f6c8f", "#e3b04b", "#5b8a58", "#c2452d", "#8a5bb0", "#f2efe6", "#16181d", "#d98ba0", "#7fb8ad", "#8a5a34", "#c9c4b8", "#44546a"];
    choices.inks.push(spare.find((ink) => !choices.inks.includes(ink)) || "#808080"); changed();
  } }, "+");
  $("inks").replaceChildren(...inks, ...(choices.inks.length < 12 ? [more] : []));
}

function fill() {
  $("fit").value = choices.fit; $("mirror").checked = choices.mirror; $("kept").value = choices.kept;
  $("change").value = choices.change; $("printer").value = choices.printer; $("where").value = choices.where;
  $("everything").checked = choices.everything;
  tick("style", choices.style); tick("mask", choices.mask); tick("size", choices.size); tick("steps", choices.steps);
  $("for-palette").hidden = choices.style !== "palette"; $("for-motif").hidden = choices.style !== "motif";
}

function read() {
  Object.assign(choices, {
    fit: $("fit").value, mirror: $("mirror").checked, kept: Number($("kept").value), change: Number($("change").value),
    printer: $("printer").value, where: $("where").value, everything: $("everything").checked,
    style: radio("style"), mask: radio("mask"), size: radio("size"), steps: Number(radio("steps") || choices.steps),
  });
}

function changed({ keepInks = false } = {}) {
  sessionStorage.setItem(KEPT, JSON.stringify(choices));
  drawPictures(); fill();
  if (!keepInks) drawInks();
  clearTimeout(timer);
  timer = setTimeout(tryOn, 60);
}

let turn = 0;
async function tryOn() {
  const mine = ++turn, began = performance.now(), easel = $("easel"), show = radio("show");
  easel.classList.add("busy");
  try {
    say("");
    const blob = show === "bare" ? await (await fetch(`photos/${shownPhoto}`)).blob()
      : await ask(show === "flat" ? "api/flat" : "api/try-on",
        { choices, photo: shownPhoto, as_printed: $("as-printed").checked }, { raw: true });
    if (mine !== turn) return;
    put($("worn"), blob);
    easel.dataset.took = Math.round(performance.now() - began);
    $("worn-says").textContent = show === "worn" && choices.drawing === null ? "Plain, so far: drop a drawing" : "";
    const found = await ask("api/command", { choices });
    if (mine === turn) $("command-new").textContent = found.command;
  } catch (error) {
    if (mine === turn) { say(error.message); $("worn-says").textContent = ""; }
  } finally {
    if (mine === turn) easel.classList.remove("busy");
  }
}

function put(image, blob) {
  const before = image.src;
  image.src = URL.createObjectURL(blob);
  image.hidden = false;
  if (before.startsWith("blob:")) setTimeout(() => URL.revokeObjectURL(before), 1000);
}

async function upload(kind, files) {
  const began = performance.now();
  for (const file of files) {
    if (file.size > MOST_BYTES) { say(`${file.name} is too large; it may have 64 MB.`); continue; }
    $("worn-says").textContent = kind === "photo" ? "Finding the face …" : "Reading the drawing …";
    try {
      say("");
      const found = await ask(`api/pictures/${kind}?name=${encodeURIComponent(file.name)}`, undefined, { body: file });
      const place = kind === "drawing" ? offers.drawings : offers.photos;
      if (!place.includes(found.name)) place.unshift(found.name);
      if (kind === "drawing") {
        choices.drawing = found.name; choices.inks = found.inks;
        $("title").placeholder = file.name.replace(/\.\w+$/, "");
      } else {
        choices.photos = [...new Set([...choices.photos.filter((each) => each !== "portrait"), found.name])];
        shownPhoto = found.name;
      }
    } catch (error) { say(error.message); $("worn-says").textContent = ""; continue; }
    drawPictures(); fill(); drawInks();
    sessionStorage.setItem(KEPT, JSON.stringify(choices));
    await tryOn();
    $("easel").dataset.dropped = Math.round(performance.now() - began);
  }
}

function droppable(zone, kind) {
  zone.addEventListener("dragover", (event) => { event.preventDefault(); zone.classList.add("over"); });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault(); zone.classList.remove("over");
    upload(kind, event.dataTransfer.files);
  });
}

function options(select, names, words) {
  select.replaceChildren(...names.map((name) => made("option", { value: name }, words[name] || name.replaceAll("_", " "))));
}

async function refresh() {
  offers = await ask("api/offers");
  options($("printer"), offers.printers, WORDS.printers); options($("print-printer"), offers.printers, WORDS.printers);
  options($("where"), offers.wheres, WORDS.wheres); options($("print-paper"), offers.papers, { a4: "A4", letter: "Letter" });
  $("print-paper").value = "a4";
  $("masks").replaceChildren(...offers.masks.map((name) => {
    const [title, about] = WORDS.masks[name] || [name.replaceAll("_", " "), ""];
    return made("label", { class: "card" }, made("input", { type: "radio", name: "mask", value: name }), made("strong", {}, title), made("span", {}, about));
  }));
  $("sizes").replaceChildren(...["S", "M", "L", "child"].map((name) =>
    made("label", {}, made("input", { type: "radio", name: "size", value: name }), ` ${name}`)));
  if (choices === null) {
    choices = offers.chosen;
    try { choices = { ...choices, ...JSON.parse(sessionStorage.getItem(KEPT) || "{}") }; } catch { /* not ours */ }
    if (choices.drawing === null && !sessionStorage.getItem(KEPT)) choices.drawing = offers.drawings.includes("motif") ? "motif" : null;
  }
  if (choices.drawing !== null && !offers.drawings.includes(choices.drawing)) choices.drawing = null;
  choices.photos = choices.photos.filter((name) => offers.photos.includes(name));
  if (!choices.photos.length) choices.photos = ["portrait"];
  shownPhoto = choices.photos.includes(shownPhoto) ? shownPhoto : choices.photos[0];
  changed();
}

function prepareNew() {
  droppable($("drop-drawing"), "drawing");
  // A picture that is dropped beside a place to drop it must not replace the page.
  for (const name of ["dragover", "drop"]) window.addEventListener(name, (event) => event.preventDefault());
  $("file-drawing").addEventListener("change", (event) => upload("drawing", event.target.files));
  $("form").addEventListener("change", (event) => {
    if (!event.target.matches("input[type=file], input[type=color], input[type=text], #ink-count")) { read(); changed(); }
  });
  $("take-inks").addEventListener("click", async () => { await takeInks(); changed(); });
  $("ink-count").addEventListener("change", async () => { await takeInks(); changed(); });
  for (const name of ["show", "run-show"]) {
    document.querySelectorAll(`input[name="${name}"]`).forEach((each) => each.addEventListener("change", () => (name === "show" ? tryOn() : drawRunPicture(true))));
  }
  $("as-printed").addEventListener("change", tryOn);
  $("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    $("design").disabled = true;
    await trying(async () => {
      const title = $("title").value.trim() || $("title").placeholder;
      const run = await ask("api/runs", { title, choices });
      location.hash = `#/design/${run.name}`;
    })();
    $("design").disabled = false;
  });
}

// ---- My designs ------------------------------------------------------------------------------------------

const showDesigns = trying(async () => {
  const runs = await ask("api/runs");
  $("no-designs").hidden = runs.length > 0;
  $("place").textContent = `All of it lies in ${offers.folder}.`;
  $("gallery").replaceChildren(...runs.map((run) => {
    const frame = made("div", { class: "frame" }, run.version
      ? made("img", { src: `runs/${run.name}/worn.jpg?v=${run.version}`, alt: "", loading: "lazy" }) : "not started");
    const state = run.working ? `${WORDS.working[run.working]} …` : run.finished ? "Done" : "Stopped";
    const day = new Date(run.made * 1000).toLocaleDateString(undefined, { day: "numeric", month: "long" });
    return made("a", { href: `#/design/${run.name}` }, frame, made("strong", {}, run.title), made("small", {}, `${state} · ${day}`));
  }));
});

// ---- One design ------------------------------------------------------------------------------------------

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
  return seconds < 50 ? "less than a minute" : `about ${Math.round(seconds / 60)} minute${seconds < 90 ? "" : "s"}`;
}

function stateWords() {
  if (run.working === "design") {
    if (run.finished) return "Checking what it does …";
    if (!run.step) return "Getting the face and the mask ready …";
    const now = performance.now() / 1000;
    pace ??= { at: now, step: run.step };
    const left = run.step > pace.step ? ` · ${minutes((now - pace.at) / (run.step - pace.step) * (run.steps - run.step))} left` : "";
    return `Designing: ${run.step} of ${run.steps} steps${left}. You may close this page; it goes on.`;
  }
  if (run.working) return `${WORDS.working[run.working]} …`;
  if (run.trouble) return `That did not work: ${run.trouble}`;
  return run.finished ? "Done." : `Stopped after ${run.step} of ${run.steps} steps.`;
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
  drawRunPicture(false);
}

function drawRunPicture(force) {
  if (!run) return;
  const show = radio("run-show"), image = $("run-worn");
  const state = stage === null ? "" : `&state=${stage}`;
  const address = show === "bare" ? `photos/${run.choices.photos[0]}` : `runs/${run.name}/${show === "flat" ? "flat.png" : "worn.jpg"}?v=${run.version}${state}`;
  $("run-says").textContent = stage !== null ? `After ${stage} steps` : run.version ? "" : "The first picture comes soon";
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
    made("img", { src: `runs/${run.name}/flat.png?v=${run.version}`, alt: "" }), made("span", {}, run.finished ? "end" : "now"));
  $("film").replaceChildren(latest, ...shown.toReversed().map((step) => made("button", {
    type: "button", class: "thumb", "aria-pressed": String(stage === step), "aria-label": `After ${step} steps`,
    onclick: () => { stage = step; drawRun(false); },
  }, made("img", { src: `runs/${run.name}/flat.png?state=${step}`, alt: "", loading: "lazy" }), made("span", {}, String(step)))));
}

function meter(label, value, mine) {
  const bar = made("span");
  bar.style.width = `${Math.round(100 * value)}%`;
  return made("div", { class: mine ? "meter this" : "meter" }, made("span", {}, label),
    made("div", { class: "track", role: "img", "aria-label": `${Math.round(100 * value)} percent` }, bar), made("b", {}, `${Math.round(100 * value)} %`));
}

function curve(values) {
  const space = "http://www.w3.org/2000/svg", drawing = document.createElementNS(space, "svg");
  drawing.setAttribute("viewBox", "0 0 100 100"); drawing.setAttribute("preserveAspectRatio", "none"); drawing.setAttribute("class", "curve");
  drawing.setAttribute("role", "img"); drawing.setAttribute("aria-label", "Its course so far");
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
    if (checked) for (const [condition, value] of Object.entries(checked.confidence)) parts.push(meter(WORDS.conditions[condition] || condition, value, condition === "design"));
    else {
      const last = values.slice(-3);
      parts.push(meter(WORDS.conditions.design, last.reduce((sum, value) => sum + value, 0) / last.length, true));
    }
    parts.push(curve(values));
  }
  $("meters").replaceChildren(...parts);
}

function printWords(name) {
  const printer = offers.printers.find((each) => name.startsWith(`${each}-`)) || "";
  const rest = name.slice(printer.length).replace("-step-", ", after step ").replace(/^-/, "").replace(/^a(\d)/, "A$1");
  return `${printer === "none" ? "For any printer" : `For ${WORDS.printers[printer] || printer.replaceAll("_", " ")}`} · ${rest}`;
}

let printsOf = "";
function drawPrints() {
  const key = JSON.stringify([run.name, run.prints]);
  if (key === printsOf) return;
  printsOf = key;
  $("prints").replaceChildren(...run.prints.map((set) => {
    const place = `runs/${run.name}/prints/${set.name}`;
    const pages = set.files.flatMap((file) => Array.from({ length: file.pages || 0 }, (_, page) =>
      made("a", { href: `${place}/${file.name}`, target: "_blank", rel: "noopener" },
        made("img", { src: `${place}/${file.name}/${page + 1}.png`, alt: `${file.name}, page ${page + 1}`, loading: "lazy" }))));
    const files = set.files.map((file) => made("li", {}, made("a", { href: `${place}/${file.name}?keep=1`, download: true }, file.name), ` ${(file.bytes / 1e6).toFixed(1)} MB`));
    return made("div", { class: "print-set" }, made("h3", {}, printWords(set.name)),
      made("div", { class: "pages", tabindex: "0", role: "group", "aria-label": "Pages" }, ...pages),
      made("a", { class: "button", href: `${place}.zip`, download: true }, "Download all as a ZIP"),
      made("details", {}, made("summary", {}, `${set.files.length} files`), made("ul", {}, ...files)));
  }));
}

function prepareRun() {
  const act = (action, given = {}) => trying(async () => { const name = run.name; pace = null; run = { ...await ask(`api/runs/${name}/${action}`, typeof given === "function" ? given() : given) }; drawRun(false); clearTimeout(poll); poll = setTimeout(() => { if (location.hash === `#/design/${name}`) showRun(name); }, 700); });
  $("stop").addEventListener("click", act("stop"));
  $("go-on").addEventListener("click", act("go-on"));
  $("measure").addEventListener("click", act("measure"));
  $("print").addEventListener("click", act("print", () => ({ printer: $("print-printer").value, paper: $("print-paper").value, state: stage })));
  $("again").addEventListener("click", trying(async () => {
    choices = { ...offers.chosen, ...run.choices };
    if (stage !== null) {
      const blob = await (await fetch(`runs/${run.name}/flat.png?state=${stage}`)).blob();
      const found = await ask(`api/pictures/drawing?name=${run.name}-${stage}.png`, undefined, { body: blob });
      choices.drawing = found.name;
    }
    sessionStorage.setItem(KEPT, JSON.stringify(choices));
    $("title").placeholder = run.title;
    await refresh();
    location.hash = "#/";
  }));
}

// ---- Pages -----------------------------------------------------------------------------------------------

function show() {
  const [, page, name] = location.hash.split("/");
  const view = page === "designs" ? "designs" : page === "design" && name ? "run" : "new";
  for (const each of ["new", "designs", "run"]) $(`view-${each}`).hidden = each !== view;
  for (const link of document.querySelectorAll("[data-nav]")) {
    if (link.dataset.nav === (view === "new" ? "new" : "designs")) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  say("");
  clearTimeout(poll);
  document.title = "advmask studio";
  if (view === "designs") showDesigns();
  if (view === "run") showRun(name);
  window.scrollTo(0, 0);
}

window.addEventListener("hashchange", () => { show(); $("main").focus({ preventScroll: true }); });
prepareNew();
prepareRun();
trying(refresh)().then(show);
