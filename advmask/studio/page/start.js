"use strict";
// Which page is shown, and all that starts with it.

function show() {
  const [, page, name] = location.hash.split("/");
  const view = { designs: "designs", design: name && "run", beside: name && "beside" }[page] || "new";
  for (const each of ["new", "designs", "run", "beside"]) $(`view-${each}`).hidden = each !== view;
  for (const link of document.querySelectorAll("[data-nav]")) {
    if (link.dataset.nav === (view === "new" ? "new" : "designs")) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  say("");
  clearTimeout(poll);
  closeCamera();
  document.title = "advmask studio";
  if (view === "designs") showDesigns();
  if (view === "run") showRun(name);
  if (view === "beside") showBeside(name);
  window.scrollTo(0, 0);
}

window.addEventListener("hashchange", () => { show(); $("main").focus({ preventScroll: true }); });
prepareRun();
prepareCamera();
prepareBeside();
prepareVideos();
speak().then(trying(refresh)).then(trying(prepareNew)).then(show);
