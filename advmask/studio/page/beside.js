"use strict";
// Two or three designs beside each other, with their figures.

const MOST_BESIDE = 3;
let picked = [];

function drawPicked(designs) {
  $("pick-part").hidden = designs < 2;
  $("beside").disabled = picked.length < 2;
  $("pick-says").textContent = picked.length < MOST_BESIDE ? t("Pick two or three.") : t("Three are picked; leave one out to pick another.");
  for (const box of document.querySelectorAll(".pick input")) box.disabled = picked.length >= MOST_BESIDE && !box.checked;
}

function pickBox(run) {
  const box = made("input", { type: "checkbox", onchange: (event) => {
    picked = picked.filter((name) => name !== run.name);
    if (event.target.checked) picked.push(run.name);
    drawPicked(2);
  } });
  box.checked = picked.includes(run.name);
  return made("label", { class: "tick pick" }, box, t("To compare"), made("span", { class: "seen-by-readers" }, `: ${run.title}`));
}

let variants = [];
const showBeside = trying(async (names) => {
  const asked = location.hash;
  variants = [];
  for (const name of names.split(",").slice(0, MOST_BESIDE)) variants.push(await ask(`api/runs/${name}`));
  if (location.hash !== asked) return;
  $("variants").replaceChildren(...variants.map((each) => made("article", { "aria-label": each.title },
    made("div", { class: "frame" }, made("img", { alt: each.title, "data-name": each.name })),
    made("h2", {}, made("a", { href: `#/design/${each.name}` }, each.title)),
    made("p", { class: "quiet-text" }, aboutChoices(each.choices)),
    made("p", { class: "dots", "aria-hidden": "true" }, ...(each.choices.style === "palette" ? each.choices.inks.map(dot) : [])),
    made("div", { class: "figures", "data-of": each.name }, t("Looking …")))));
  drawBeside();
  for (const each of variants) {
    const found = await ask(`api/runs/${each.name}/glance`);
    if (location.hash !== asked) return;
    document.querySelector(`[data-of="${CSS.escape(each.name)}"]`).replaceChildren(
      ...found.meters.flatMap((one) => [made("p", { class: "meter-head" }, one.recognizer), ...meterOf(one)]));
  }
});

function dot(ink) {
  const round = made("span");
  round.style.background = ink;
  return round;
}

function aboutChoices(choices) {
  const shape = WORDS.masks[choices.mask] ? t(WORDS.masks[choices.mask][0]) : choices.mask.replaceAll("_", " ");
  return [t(WORDS.styles[choices.style] || choices.style), `${shape} ${choices.size === "child" ? t("child") : choices.size}`, t("{0} steps", choices.steps)].join(" · ");
}

function drawBeside() {
  const show = radio("beside-show"), yaw = $("beside-turn").value;
  $("beside-turn-part").hidden = show !== "turned";
  const files = { worn: "worn.jpg?", flat: "flat.png?", turned: `turned.jpg?yaw=${yaw}&` };
  for (const each of variants) {
    const image = document.querySelector(`#variants img[data-name="${CSS.escape(each.name)}"]`);
    image.src = `runs/${each.name}/${files[show]}v=${each.version}`;
  }
}

function prepareBeside() {
  $("beside").addEventListener("click", () => { location.hash = `#/beside/${picked.join(",")}`; });
  document.querySelectorAll("input[name=beside-show]").forEach((each) => each.addEventListener("change", drawBeside));
  $("beside-turn").addEventListener("input", drawBeside);
}
