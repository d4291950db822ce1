"use strict";
// One design: how far it is, its stages and meters, and all designs as a gallery.

const showDesigns = trying(async () => {
  const runs = await ask("api/runs");
  $("no-designs").hidden = runs.length > 0;
  drawShipped();
  $("place").textContent = t("All of it lies in {0}.", offers.folder);
  picked = picked.filter((name) => runs.some((run) => run.name === name));
  drawPicked(runs.length);
  $("gallery").replaceChildren(...runs.map((run) => {
    const frame = made("div", { class: "frame" }, run.version
      ? made("img", { src: `runs/${run.name}/worn.jpg?v=${run.version}`, alt: "", loading: "lazy" }) : t("not started"));
    const state = run.working ? `${t(WORDS.working[run.working])} …` : run.finished ? t("Done") : t("Stopped");
    const day = new Date(run.made * 1000).toLocaleDateString(document.documentElement.lang, { day: "numeric", month: "long" });
    const link = made("a", { href: `#/design/${run.name}` }, frame, made("strong", {}, run.title), made("small", {}, `${state} · ${day}`));
    return made("div", {}, link, ...(run.version ? [pickBox(run)] : []));
  }));
});

// A measured design that ships becomes the drawing, in its own inks.
function drawShipped() {
  $("shipped-part").hidden = !offers.gallery.length;
  $("shipped").replaceChildren(...offers.gallery.map((each) => made("article", {},
    made("div", { class: "frame" }, made("img", { src: `pictures/drawing/${each.drawing}`, alt: "", loading: "lazy" })),
    made("strong", {}, each.title), made("p", { lang: "en" }, each.character), made("p", { class: "quiet-text", lang: "en" }, each.measured),
    made("button", { type: "button", class: "quiet", onclick: trying(async () => {
      choices = { ...choices, drawing: each.drawing, fit: "cover", ...(each.inks.length ? { style: "palette", inks: each.inks } : { style: "motif" }) };
      $("title").placeholder = each.title;
      sessionStorage.setItem(KEPT, JSON.stringify(choices));
      await refresh();
      location.hash = "#/";
    }) }, t("Start a new one from this"), made("span", { class: "seen-by-readers" }, `: ${each.title}`)),
    made("p", { class: "quiet-text" }, made("code", {}, `advmask export gallery:${each.name} paper=a4`)))));
}

let run = null;
let stage = null;
let poll = 0;
let shownPicture = "";
let pace = null;

// Whether an answer that was waited for is still of the design that is looked at.
const stillShown = (name) => Boolean(run) && run.name === name && location.hash === `#/design/${name}`;

const showRun = trying(async (name) => {
  if (!run || run.name !== name) { run = null; stage = null; shownPicture = ""; pace = null; $("prints").replaceChildren(); $("label").textContent = ""; $("report").hidden = true; $("report").removeAttribute("src"); }
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
  drawFilm(); drawMeters(); drawPrints(); drawVideos();
  $("measure-part").hidden = !run.finished;
  $("measure").disabled = Boolean(run.working); $("print").disabled = Boolean(run.working);
  $("report-link").hidden = !run.measured;
  $("report-link").href = `runs/${run.name}/report.html`;
  if (run.measured && $("report").hidden && run.working !== "measure") { $("report").hidden = false; $("report").src = `runs/${run.name}/report.html?v=${Date.now()}`; }
  if (run.working === "measure") $("report").hidden = true;
  $("print-part").hidden = !run.finished && !run.states.length;
  $("share-part").hidden = !run.finished && !run.states.length;
  $("video-part").hidden = !run.finished && !run.states.length;
  if (first) { $("print-printer").value = run.choices.printer; }
  const state = stage === null ? "" : `&state=${stage}`;
  for (const shape of ["square", "portrait"]) $(`share-${shape}`).href = `runs/${run.name}/share.jpg?shape=${shape}${state}`;
  for (const id of ["share-card", "label-part"]) $(id).hidden = !run.card || !run.sentence;
  $("share-waits").hidden = run.card || !run.finished;
  if (run.card && run.sentence && $("label").textContent !== run.sentence) {
    $("share-card").href = `runs/${run.name}/card.png?keep=1`;
    $("card").src = `runs/${run.name}/card.png?v=${Date.now()}`;
    $("card").alt = run.sentence; $("label").textContent = run.sentence; $("copied").textContent = "";
  }
  drawRunPicture(false);
}

function drawRunPicture(force) {
  if (!run || camera) return;
  const show = radio("run-show"), image = $("run-worn");
  const state = stage === null ? "" : `&state=${stage}`;
  $("run-turn-part").hidden = show !== "turned";
  const yaw = $("run-turn").value, files = { flat: "flat.png?", worn: "worn.jpg?", turned: `turned.jpg?yaw=${yaw}&` };
  const address = show === "bare" ? `runs/${run.name}/bare.jpg?v=${run.made}` : `runs/${run.name}/${files[show]}v=${run.version}${state}`;
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
  const key = `${run.name} ${run.made} ${run.states.join()} ${stage} ${run.finished}`;
  if (key === filmOf) return;
  filmOf = key;
  const every = Math.max(1, Math.ceil(run.states.length / 24));
  const shown = run.states.filter((_, place) => place % every === 0 || place === run.states.length - 1);
  const latest = made("button", { type: "button", class: "thumb", "aria-pressed": String(stage === null), onclick: () => { stage = null; drawRun(false); } },
    made("img", { src: `runs/${run.name}/flat.png?v=${run.version}`, alt: "" }), made("span", {}, run.finished ? t("end") : t("now")));
  $("film").replaceChildren(latest, ...shown.toReversed().map((step) => made("button", {
    type: "button", class: "thumb", "aria-pressed": String(stage === step), "aria-label": t("After {0} steps", step),
    onclick: () => { stage = step; drawRun(false); },
  }, made("img", { src: `runs/${run.name}/flat.png?v=${run.made}&state=${step}`, alt: "", loading: "lazy" }), made("span", {}, String(step)))));
}
