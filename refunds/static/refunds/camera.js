// Scanning with the camera, where the browser reads barcodes itself: the button appears only then, and nothing stays switched on.
const button = document.querySelector("[data-camera]");
const dialog = document.querySelector("dialog.camera");
const WANTED = ["qr_code", "code_128", "code_39", "ean_13", "ean_8", "itf", "pdf417", "data_matrix", "aztec", "codabar", "upc_a"];
const LOOK_EVERY = 150;
let stream = null;

function stop() {
  stream?.getTracks().forEach((track) => track.stop());
  stream = null;
}

function take(code) {
  const field = document.getElementById("q");
  dialog.close();
  field.value = code;
  field.form.requestSubmit();
}

async function watch(video, detector) {
  while (stream) {
    const [found] = await detector.detect(video).catch(() => []);
    if (found && stream) return take(found.rawValue);
    await new Promise((done) => { setTimeout(done, LOOK_EVERY); });
  }
}

async function scan(formats) {
  const video = dialog.querySelector("video");
  const refusal = dialog.querySelector("[role=alert]");
  refusal.hidden = true;
  dialog.showModal();
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    if (!dialog.open) return stop();  // closed while the browser still asked whether it may
    video.srcObject = stream;
    await video.play();
    await watch(video, new BarcodeDetector({ formats }));
  } catch {
    stop();
    refusal.hidden = false;
  }
}

if (button && "BarcodeDetector" in window && navigator.mediaDevices?.getUserMedia) {
  const supported = await BarcodeDetector.getSupportedFormats();
  const formats = WANTED.filter((format) => supported.includes(format));
  if (formats.length) {
    button.hidden = false;
    button.addEventListener("click", () => scan(formats));
    dialog.addEventListener("close", () => { stop(); document.getElementById("q").focus(); });
    addEventListener("pagehide", stop);
  }
}
