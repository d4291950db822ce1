"use strict";
// A design worn in a video: dropped here, worked on by a process of its own, looked at and kept.

const MOST_VIDEO_BYTES = 1024 * 1024 * 1024;
let videosOf = "";

function drawVideos() {
  const key = JSON.stringify([run.name, run.made, run.videos]);
  if (key === videosOf) return;
  videosOf = key;
  $("videos").replaceChildren(...run.videos.map((video) => {
    const place = `runs/${run.name}/videos/${video.name}.mp4`, parts = [made("h3", {}, video.called)];
    if (video.state !== null) parts.push(made("p", { class: "quiet-text" }, t("After {0} steps", video.state)));
    if (video.working) {
      const bar = made("span");
      bar.style.width = `${video.share}%`;
      parts.push(made("div", { class: "progress", role: "progressbar", "aria-label": t("Progress"), "aria-valuemin": "0", "aria-valuemax": "100", "aria-valuenow": String(video.share) }, bar));
    } else if (video.done) {
      parts.push(made("video", { src: place, controls: true, playsinline: true, "aria-label": video.called }));
      if (video.masked) {
        const [shown, all] = video.masked;
        parts.push(made("p", { class: "quiet-text" }, shown === all ? t("All {0} pictures show the mask.", all) : t("{0} of {1} pictures show the mask; in the others no face was found.", shown, all)));
      }
    } else parts.push(made("p", { class: "note" }, t("That did not work: {0}", video.trouble)));
    const forget = made("button", { type: "button", class: "quiet", onclick: trying(async () => {
      const { name } = run, found = await ask(`api/forget-video/${name}/${video.name}`, {});
      if (stillShown(name)) { run = found; drawRun(false); }
    }) }, video.working ? t("Stop and delete") : t("Delete this video"));
    const keep = video.done ? [made("a", { class: "button", href: `${place}?keep=1`, download: true }, t("Download the video"))] : [];
    return made("div", { class: "print-set" }, ...parts, made("p", { class: "buttons" }, ...keep, forget));
  }));
}

const sendVideo = trying(async (file) => {
  if (!file) return;
  const { name } = run;
  if (!/\.(mp4|mov|m4v|webm|mkv|avi)$/i.test(file.name)) throw new Error(t("{0} is no video that can be read here; take an MP4 or MOV.", file.name));
  if (file.size > MOST_VIDEO_BYTES) throw new Error(t("{0} is too large; it may have 1 GB.", file.name));
  const state = stage === null ? "" : `&state=${stage}`;
  $("drop-video").classList.add("busy");
  try {
    const found = await ask(`api/video/${name}?name=${encodeURIComponent(file.name)}${state}`, undefined, { body: file });
    if (stillShown(name)) { run = found; drawRun(false); showRun(name); }
  } finally { $("drop-video").classList.remove("busy"); $("file-video").value = ""; }
});

function prepareVideos() {
  droppable($("drop-video"), (files) => sendVideo(files[0]));
  $("file-video").addEventListener("change", (event) => sendVideo(event.target.files[0]));
}
