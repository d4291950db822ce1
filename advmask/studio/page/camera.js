"use strict";
// The design worn in the browser's camera; frames go to this computer only and are kept nowhere.

let camera = null;
const visitor = Math.random().toString(36).slice(2);

function closeCamera() {
  if (!camera) return;
  camera.getTracks().forEach((track) => track.stop());
  camera = null;
  $("camera").setAttribute("aria-pressed", "false");
  $("camera").textContent = t("Try it on with the camera");
  $("camera-part").hidden = true;
  shownPicture = "";
  if (run) drawRunPicture(true);
}

// One frame after the other: the next is taken when the last is back.
async function mirror(name, mine) {
  const video = $("video"), canvas = document.createElement("canvas"), ends = [];
  let looked = -Infinity;
  while (camera === mine) {
    const wide = Math.min(640, video.videoWidth);
    canvas.width = wide;
    canvas.height = Math.round(wide * video.videoHeight / video.videoWidth);
    const brush = canvas.getContext("2d");
    brush.setTransform(-1, 0, 0, 1, wide, 0);  // as a mirror shows it
    brush.drawImage(video, 0, 0, canvas.width, canvas.height);
    const frame = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.85));
    const state = stage === null ? "" : `&state=${stage}`;
    // Recognizers look at one frame every other second, so that the others come quickly.
    const look = performance.now() - looked > 2000;
    if (look) looked = performance.now();
    const answer = await ask(`api/frame/${name}?visitor=${visitor}${state}${look ? "&meters=1" : ""}`, undefined, { body: frame, whole: true });
    const blob = await answer.blob();
    if (camera !== mine) return;
    put($("run-worn"), blob);
    if (look) drawCameraMeters(JSON.parse(answer.headers.get("X-Advmask-Meters") || "[]"));
    ends.push(performance.now());
    if (ends.length > 10) ends.shift();
    const rate = ends.length > 1 ? (ends.length - 1) / (ends.at(-1) - ends[0]) * 1000 : 0;
    if (rate) $("run-says").textContent = t("{0} pictures a second; none is kept", rate.toFixed(1));
  }
}

function drawCameraMeters(found) {
  $("camera-part").hidden = false;
  $("camera-meters").replaceChildren(...found.flatMap((each) => [made("p", { class: "meter-head" }, each.recognizer), ...meterOf(each)]));
  const own = run.choices.photos.some((photo) => photo !== "portrait");
  $("camera-says").textContent = !found.length ? t("No face is seen.") : own
    ? t("Compared with the photos of this design.") : t("Compared with the first picture of this camera.");
}

function prepareCamera() {
  $("camera").hidden = !navigator.mediaDevices;
  $("camera").addEventListener("click", trying(async () => {
    if (camera) { closeCamera(); return; }
    let mine;
    const asked = run.name;
    $("camera").disabled = true;
    try {
      mine = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 480 } });
    } catch {
      throw new Error(t("The camera cannot be used; allow it in the browser."));
    } finally {
      $("camera").disabled = false;
    }
    if (!run || run.name !== asked || $("camera").offsetParent === null) {  // somebody went on meanwhile
      mine.getTracks().forEach((track) => track.stop());
      return;
    }
    camera = mine;
    $("camera").setAttribute("aria-pressed", "true");
    $("camera").textContent = t("Close the camera");
    $("video").srcObject = mine;
    await $("video").play();
    try { await mirror(run.name, mine); } catch (error) { closeCamera(); throw error; }
  }));
}
