"use strict";
// A new design: drawing, photos, choices, and the mask worn at once.

const radio = (name) => document.querySelector(`input[name="${name}"]:checked`)?.value;
function tick(name, value) {
  const found = document.querySelector(`input[name="${name}"][value="${CSS.escape(String(value))}"]`);
  if (found) found.checked = true;
}

function thumb(kind, name, pressed, press, ship) {
  const labels = { drawing: t("Drawing"), photo: t("Photo") };
  const button = made("button", {
    type: "button", class: "thumb", "aria-pressed": String(pressed), "aria-label": `${labels[kind]} ${ship ? name : ""}`.trim(),
    onclick: press,
  }, made("img", { src: `pictures/${kind}/${name}`, alt: "", loading: "lazy" }));
  if (ship) return button;
  const remove = made("button", { type: "button", class: "cross", "aria-label": kind === "drawing" ? t("Delete this drawing") : t("Delete this photo"), onclick: trying(async () => {
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
  }, t("plain grey"))];
  for (const name of [...offers.gallery.map((each) => each.drawing).filter((each) => each === choices.drawing), ...offers.drawings]) {
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
  const input = made("input", { type: "file", id: "file-photo", accept: "image/*,.heic,.heif", multiple: true, class: "seen-by-readers",
    onchange: (event) => upload("photo", event.target.files) });
  const add = made("label", { class: "thumb add", id: "drop-photo" }, input, made("span", {}, t("+ your photos")));
  droppable(add, (files) => upload("photo", files));
  $("photos").replaceChildren(add, ...photos);
}

async function choose(name) {
  choices.drawing = name;
  if (choices.style === "palette") await takeInks(null);
  changed();
}

// Without a count, as many as the drawing has.
const takeInks = trying(async (count) => {
  if (choices.drawing === null) return;
  const found = await ask("api/inks", { drawing: choices.drawing, count });
  choices.inks = found.inks;
  $("ink-count").value = found.inks.length;
});

function drawInks() {
  const inks = choices.inks.map((ink, place) => {
    const input = made("input", { type: "color", value: ink, "aria-label": t("Ink {0}", place + 1), oninput: (event) => {
      choices.inks[place] = event.target.value; changed({ keepInks: true });
    } });
    const remove = made("button", { type: "button", class: "cross", "aria-label": t("Remove ink {0}", place + 1), onclick: () => {
      choices.inks.splice(place, 1); changed();
    } }, "×");
    return made("div", { class: "with-cross" }, input, ...(choices.inks.length > 2 ? [remove] : []));
  });
  const more = made("button", { type: "button", class: "more", "aria-label": t("Add an ink"), onclick: () => {
    const spare = ["#2f6c8f", "#e3b04b", "#5b8a58", "#c2452d", "#8a5bb0", "#f2efe6", "#16181d", "#d98ba0", "#7fb8ad", "#8a5a34", "#c9c4b8", "#44546a"];
    choices.inks.push(spare.find((ink) => !choices.inks.includes(ink)) || "#808080"); changed();
  } }, "+");
  $("inks").replaceChildren(...inks, ...(choices.inks.length < 12 ? [more] : []));
}

// The drawing's own colours, to be pressed: of a painted one those that are farthest from each other.
let swatches = { of: null, inks: [] };
const drawSwatches = trying(async () => {
  const { drawing } = choices;
  if (drawing !== null && swatches.of !== drawing) {
    swatches = { of: drawing, inks: [] };
    const found = await ask("api/inks", { drawing, swatches: true });
    if (swatches.of === drawing) swatches.inks = found.inks;
  }
  $("swatch-part").hidden = drawing === null || !swatches.inks.length;
  $("swatches").replaceChildren(...(drawing === null ? [] : swatches.inks).map((ink) => {
    const taken = choices.inks.includes(ink);
    const button = made("button", { type: "button", class: "swatch", "aria-pressed": String(taken), "aria-label": t("Colour {0}", ink), title: ink, onclick: () => {
      if (!taken && choices.inks.length < 12) choices.inks.push(ink);
      else if (taken && choices.inks.length > 2) choices.inks = choices.inks.filter((each) => each !== ink);
      changed();
      $("swatches").querySelector(`[title="${ink}"]`)?.focus();
    } });
    button.style.background = ink;
    return button;
  }));
});

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

// Every choice can be taken back, and taken again.
let past = [];
let now = -1;
function remember() {
  const state = JSON.stringify(choices);
  if (past[now] !== state) { past = [...past.slice(Math.max(0, now - 60), now + 1), state]; now = past.length - 1; }
  $("undo").disabled = now < 1; $("redo").disabled = now > past.length - 2;
}

// A picture may have been deleted since it was chosen.
function onlyWhatIsThere() {
  const there = [...offers.drawings, ...offers.gallery.map((each) => each.drawing)];
  if (choices.drawing !== null && !there.includes(choices.drawing)) choices.drawing = null;
  choices.photos = choices.photos.filter((name) => offers.photos.includes(name));
  if (!choices.photos.length) choices.photos = ["portrait"];
}

function stepBack(by) {
  if (!(now + by in past)) return;
  now += by;
  choices = JSON.parse(past[now]);
  onlyWhatIsThere();
  if (!choices.photos.includes(shownPhoto)) shownPhoto = choices.photos[0];
  past[now] = JSON.stringify(choices);
  changed();
}

function changed({ keepInks = false } = {}) {
  remember();
  sessionStorage.setItem(KEPT, JSON.stringify(choices));
  drawPictures(); fill();
  if (!keepInks) drawInks();
  drawSwatches();
  clearTimeout(timer);
  timer = setTimeout(tryOn, 60);
}

let turn = 0;
async function tryOn() {
  const mine = ++turn, began = performance.now(), easel = $("easel"), show = radio("show");
  easel.classList.add("busy");
  $("turn-part").hidden = show !== "turned";
  try {
    say("");
    const blob = show === "bare" ? await (await fetch(`photos/${shownPhoto}`)).blob()
      : await ask({ flat: "api/flat", worn: "api/try-on", turned: `api/turned?yaw=${$("turn").value}` }[show],
        { choices, photo: shownPhoto, as_printed: $("as-printed").checked }, { raw: true });
    if (mine !== turn) return;
    put($("worn"), blob);
    easel.dataset.took = Math.round(performance.now() - began);
    $("worn-says").textContent = show === "worn" && choices.drawing === null ? t("Plain, so far: drop a drawing") : "";
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
    if (file.size > MOST_BYTES) { say(t("{0} is too large; it may have 64 MB.", file.name)); continue; }
    $("worn-says").textContent = kind === "photo" ? t("Finding the face …") : t("Reading the drawing …");
    try {
      say("");
      const found = await ask(`api/pictures/${kind}?name=${encodeURIComponent(file.name)}`, undefined, { body: file });
      const place = kind === "drawing" ? offers.drawings : offers.photos;
      if (!place.includes(found.name)) place.unshift(found.name);
      if (kind === "drawing") {
        choices.drawing = found.name; choices.inks = found.inks;
        $("ink-count").value = found.inks.length;
        $("title").placeholder = file.name.replace(/\.\w+$/, "");
      } else {
        choices.photos = [...new Set([...choices.photos.filter((each) => each !== "portrait"), found.name])];
        shownPhoto = found.name;
      }
    } catch (error) { say(error.message); $("worn-says").textContent = ""; continue; }
    remember();
    drawPictures(); fill(); drawInks(); drawSwatches();
    sessionStorage.setItem(KEPT, JSON.stringify(choices));
    await tryOn();
    $("easel").dataset.dropped = Math.round(performance.now() - began);
  }
}

function droppable(zone, take) {
  zone.addEventListener("dragover", (event) => { event.preventDefault(); zone.classList.add("over"); });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault(); zone.classList.remove("over");
    take(event.dataTransfer.files);
  });
}

function options(select, names, words) {
  select.replaceChildren(...names.map((name) => made("option", { value: name }, words[name] ? t(words[name]) : name.replaceAll("_", " "))));
}

async function refresh() {
  offers = await ask("api/offers");
  options($("printer"), offers.printers, WORDS.printers); options($("print-printer"), offers.printers, WORDS.printers);
  options($("where"), offers.wheres, WORDS.wheres); options($("print-paper"), offers.papers, { a4: "A4", letter: "Letter" });
  $("print-paper").value = "a4";
  $("masks").replaceChildren(...offers.masks.map((name) => {
    const [title, about] = WORDS.masks[name] || [name.replaceAll("_", " "), ""];
    return made("label", { class: "card" }, made("input", { type: "radio", name: "mask", value: name }), made("strong", {}, t(title)), made("span", {}, t(about)));
  }));
  $("sizes").replaceChildren(...["S", "M", "L", "child"].map((name) =>
    made("label", {}, made("input", { type: "radio", name: "size", value: name }), ` ${name === "child" ? t("child") : name}`)));
  if (choices === null) {
    choices = offers.chosen;
    try { choices = { ...choices, ...JSON.parse(sessionStorage.getItem(KEPT) || "{}") }; } catch { /* not ours */ }
    if (choices.drawing === null && !sessionStorage.getItem(KEPT)) choices.drawing = offers.drawings.includes("motif") ? "motif" : null;
  }
  onlyWhatIsThere();
  shownPhoto = choices.photos.includes(shownPhoto) ? shownPhoto : choices.photos[0];
  changed();
}

function prepareNew() {
  droppable($("drop-drawing"), (files) => upload("drawing", files));
  for (const each of ["turn", "run-turn", "beside-turn"]) {
    const { most, step } = offers.turn;
    Object.assign($(each), { min: -most, max: most, step, value: 0 });
  }
  $("turn").addEventListener("input", tryOn);
  $("run-turn").addEventListener("input", () => drawRunPicture(false));
  $("undo").addEventListener("click", () => stepBack(-1));
  $("redo").addEventListener("click", () => stepBack(1));
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || $("view-new").hidden || event.target.matches("input[type=text]")) return;
    if (event.key.toLowerCase() === "z") { event.preventDefault(); stepBack(event.shiftKey ? 1 : -1); }
  });
  // A picture that is dropped beside a place to drop it must not replace the page.
  for (const name of ["dragover", "drop"]) window.addEventListener(name, (event) => event.preventDefault());
  $("file-drawing").addEventListener("change", (event) => upload("drawing", event.target.files));
  $("form").addEventListener("change", (event) => {
    if (!event.target.matches("input[type=file], input[type=color], input[type=text], #ink-count")) { read(); changed(); }
  });
  $("take-inks").addEventListener("click", async () => { await takeInks(Number($("ink-count").value)); changed(); });
  $("ink-count").addEventListener("change", async () => { await takeInks(Number($("ink-count").value)); changed(); });
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
