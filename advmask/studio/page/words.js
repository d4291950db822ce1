"use strict";
// What the page says, and in which language.

// Words are English; another language is a list of what stands for each of them, in words/LANGUAGE.json.
let catalogue = {};
const w = (text) => text;
const t = (text, ...values) => (catalogue[text] || text).replace(/\{(\d)\}/g, (_, place) => values[place]);
const LANGUAGES = { en: "English", de: "Deutsch", fr: "Français", es: "Español" };
const LANGUAGE = "advmask-language";

const WORDS = {
  masks: {
    contour: [w("Contour"), w("one piece, stretch fabric")], panelled: [w("Two halves"), w("a seam down the middle, woven cloth")],
    pleated: [w("Pleated"), w("a rectangle with folds")], flatfold: [w("Flat-fold"), w("the shape of an FFP2 or KN95")],
    gaiter: [w("Gaiter"), w("a tube for nose, mouth and neck")],
  },
  printers: {
    none: w("not decided"), office_inkjet: w("an inkjet at home"), sublimation: w("sublimation (print shop)"),
    direct_to_garment: w("direct to garment"), laser_transfer: w("laser and iron-on foil"),
  },
  wheres: {
    indoor: w("indoors"), outdoor: w("outdoors"), cctv: w("under a surveillance camera"), screen: w("on a screen only"),
    none: w("nowhere (exact colours)"), full: w("everywhere at once"),
  },
  conditions: {
    bare: w("Bare face"), white: w("White mask"), surgical_blue: w("Blue mask"), black: w("Black mask"), design: w("This design"),
  },
  styles: { palette: w("A few inks"), motif: w("Keep my drawing"), free: w("Let it grow") },
  working: { design: w("Designing"), measure: w("Measuring"), print: w("Making the print files") },
};

// Puts the catalogue's words in place of those the page came with.
function translate() {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.data, plain = text.trim().replace(/\s+/g, " ");
    if (catalogue[plain]) walker.currentNode.data = text.replace(text.trim(), () => catalogue[plain]);
  }
  for (const name of ["aria-label", "placeholder", "title", "alt"]) {
    for (const each of document.querySelectorAll(`[${name}]`)) {
      if (catalogue[each.getAttribute(name)]) each.setAttribute(name, catalogue[each.getAttribute(name)]);
    }
  }
}

async function speak() {
  const wanted = [localStorage.getItem(LANGUAGE), ...navigator.languages.map((each) => each.slice(0, 2)), "en"];
  const language = wanted.find((each) => each in LANGUAGES);
  document.documentElement.lang = language;
  options($("language"), Object.keys(LANGUAGES), LANGUAGES);
  $("language").value = language;
  $("language").addEventListener("change", () => { localStorage.setItem(LANGUAGE, $("language").value); location.reload(); });
  if (language === "en") return;
  catalogue = await ask(`words/${language}.json`);
  translate();
}
