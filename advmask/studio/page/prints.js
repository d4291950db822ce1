"use strict";
// The print files of a design, and the buttons of its page.

function printWords(name) {
  const printer = offers.printers.find((each) => name.startsWith(`${each}-`)) || "";
  const rest = name.slice(printer.length).replace(/-step-(\d+)/, (_, step) => `, ${t("After {0} steps", step)}`).replace(/^-/, "").replace(/^a(\d)/, "A$1");
  return `${printer === "none" ? t("any printer") : WORDS.printers[printer] ? t(WORDS.printers[printer]) : printer.replaceAll("_", " ")} · ${rest}`;
}

const NOTES = {
  sheet: w("Print this file: {0}."),
  size: w("Print at 100 %, not fitted to the page. Then measure the ruler on the sheet: if it is not 100 mm long, say above what it measures, and make the files again."),
  mirrored: w("The sheet is mirrored, because this printer transfers it face down. Do not mirror it again. Some print shops mirror what they are sent: ask yours."),
  one_ink: w("It is all one colour, {0}."),
  inks: w("The picture has exactly {0} colours: {1}. Each has a layer of its own, for screens and vinyl."),
  gamut: w("{1} % of the mask comes out in other colours than drawn; {0} shows where."),
  duller: w("They come out duller; the files are sound. To choose inks that this printer reaches, tick “Colours as printed” while you choose them, and design anew."),
};
const noteWords = (note) => (note.name ? t(NOTES[note.name], ...note.values) : note.text);

let printsOf = "";
function drawPrints() {
  const key = JSON.stringify([run.name, run.made, run.prints, run.print_notes, run.working === "print"]);
  if (key === printsOf) return;
  printsOf = key;
  $("prints").replaceChildren(...run.prints.map((set, place_in_list) => {
    const place = `runs/${run.name}/prints/${set.name}`;
    const pages = set.files.flatMap((file) => Array.from({ length: file.pages || 0 }, (_, page) =>
      made("a", { href: `${place}/${file.name}`, target: "_blank", rel: "noopener" },
        made("img", { src: `${place}/${file.name}/${page + 1}.png?v=${run.made}-${file.bytes}`, alt: `${file.name}, page ${page + 1}`, loading: "lazy" }))));
    const files = set.files.map((file) => made("li", {}, made("a", { href: `${place}/${file.name}?keep=1`, download: true }, file.name), ` ${(file.bytes / 1e6).toFixed(1)} MB`));
    return made("div", { class: "print-set" }, made("h3", {}, printWords(set.name)),
      made("div", { class: "pages", tabindex: "0", role: "group", "aria-label": t("Pages of the print") }, ...pages),
      ...(place_in_list || run.working === "print" ? [] : run.print_notes.map((note) => made("p", { class: "note" }, noteWords(note)))),
      made("a", { class: "button", href: `${place}.zip`, download: true }, t("Download all as a ZIP")),
      made("details", {}, made("summary", {}, t("{0} files", set.files.length)), made("ul", {}, ...files)));
  }));
}

function prepareRun() {
  const act = (action, given = {}) => trying(async () => {
    const { name } = run;
    const found = await ask(`api/runs/${name}/${action}`, typeof given === "function" ? given() : given);
    if (!stillShown(name)) return;
    pace = null;
    run = found;
    drawRun(false);
    clearTimeout(poll);
    poll = setTimeout(() => { if (stillShown(name)) showRun(name); }, 700);
  });
  $("stop").addEventListener("click", act("stop"));
  $("go-on").addEventListener("click", act("go-on"));
  $("measure").addEventListener("click", act("measure"));
  $("print").addEventListener("click", act("print", () => ({ printer: $("print-printer").value, paper: $("print-paper").value, state: stage, ruler_mm: Number($("ruler").value) || 100 })));
  $("copy-label").addEventListener("click", trying(async () => {
    await navigator.clipboard.writeText(run.sentence);
    $("copied").textContent = t("Copied.");
  }));
  $("delete").addEventListener("click", trying(async () => {
    if (!confirm(t("Delete this design, its pictures and its print files? This cannot be undone."))) return;
    const { name } = run;
    await ask(`api/runs/${name}/forget`, {});
    const leave = stillShown(name);
    if (run && run.name === name) run = null;
    if (leave) location.hash = "#/designs";
  }));
  $("again").addEventListener("click", trying(async () => {
    const { name, title } = run, again = { ...offers.chosen, ...run.choices };
    if (stage !== null) {
      again.drawing = (await ask(`api/again/${name}?state=${stage}`, {})).name;
      again.fit = "cover";  // it fills its pattern
    }
    if (!stillShown(name)) return;
    choices = again;
    sessionStorage.setItem(KEPT, JSON.stringify(choices));
    $("title").placeholder = title;
    await refresh();
    location.hash = "#/";
  }));
}
