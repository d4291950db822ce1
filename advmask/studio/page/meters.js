"use strict";
// How sure recognizers are: bars, the course of a design, and a quick look at what is shown.

function meter(label, value, mine) {
  const found = value !== null, percent = Math.round(100 * (value ?? 0)), bar = made("span");
  bar.style.width = `${percent}%`;
  const says = found ? `${percent} %` : t("no face found");
  if (!found) bar.textContent = says;
  return made("div", { class: `meter${mine ? " this" : ""}${found ? "" : " none"}` }, made("span", {}, label),
    made("div", { class: "track", role: "img", "aria-label": says }, bar), made("b", {}, found ? says : "–"));
}

function meterOf(each) {
  return Object.entries(each.confidence).map(([name, value]) => meter(t(WORDS.conditions[name] || name), value, name === "design"));
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

let glance = null;
let glanceOf = "";

// Of each stage that is shown, one quick look; the next begins when the last is back.
async function lookAgain() {
  const wanted = run && run.version ? `${run.name} ${run.version} ${stage}` : "";
  if (!wanted || glanceOf === wanted || (stage === null && run.meters.length)) return;
  glanceOf = wanted;
  const { name, made: born } = run, at = stage;
  try {
    const found = await ask(`api/runs/${name}/glance${at === null ? "" : `?state=${at}`}`);
    if (run && run.name === name && run.made === born) { glance = { ...found, stage: at, name, born }; drawMeters(); }
  } catch { glanceOf = ""; }
}

let metersOf = "";
function drawMeters() {
  lookAgain();
  const checked = stage === null && run.meters.length > 0;
  const mine = glance && glance.name === run.name && glance.born === run.made && glance.stage === stage ? glance : null;
  const found = checked ? run.meters : mine ? mine.meters : [];
  const names = [...new Set([...found.map((each) => each.recognizer), ...Object.keys(run.curves)])];
  $("meters-part").hidden = !names.length;
  const key = JSON.stringify([run.name, run.made, run.step, stage, found]);
  if (key === metersOf) return;
  metersOf = key;
  $("meters").replaceChildren(...names.flatMap((name) => {
    const each = found.find((one) => one.recognizer === name), course = run.curves[name] || [];
    return [made("p", { class: "meter-head" }, name), ...(each ? meterOf(each) : []), ...(course.length ? [curve(course)] : [])];
  }));
  const said = checked || !found.length ? [] : [t("A quick look at the first photo, without changes of light; Measure tells more.")];
  if (said.length && mine.alone) said.push(t("There is one photo only: the bare face is compared with itself."));
  $("meters-say").textContent = said.join(" ");
}
