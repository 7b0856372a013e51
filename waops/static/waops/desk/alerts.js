// Sound and desktop notification of new cases: off until somebody turns them on, remembered by this browser.
const SOUND = "desk-sound";
const NOTIFY = "desk-notify";

export function alerts(panel) {
  const menu = panel.querySelector("[data-alerts]");
  const sound = menu.querySelector("[data-sound]");
  const notify = menu.querySelector("[data-notify]");
  const refused = menu.querySelector("[data-refused]");
  const isGranted = () => "Notification" in window && Notification.permission === "granted";

  menu.hidden = false;
  sound.checked = localStorage.getItem(SOUND) === "on";
  notify.checked = localStorage.getItem(NOTIFY) === "on" && isGranted();
  sound.addEventListener("change", () => {
    localStorage.setItem(SOUND, sound.checked ? "on" : "off");
    if (sound.checked) tone();
  });
  notify.addEventListener("change", async () => {
    if (notify.checked && !isGranted()) {
      notify.checked = "Notification" in window && (await Notification.requestPermission()) === "granted";
      refused.hidden = notify.checked;
    }
    localStorage.setItem(NOTIFY, notify.checked ? "on" : "off");
  });

  return () => {
    if (sound.checked) tone();
    if (notify.checked && document.hidden) new Notification(panel.dataset.arrived, { tag: "desk" });
  };
}

// Two short notes. A browser keeps a page silent that nobody has touched yet.
function tone() {
  const context = new AudioContext();
  for (const [at, pitch] of [[0, 660], [0.16, 880]]) {
    const note = context.createOscillator();
    const volume = context.createGain();
    note.frequency.value = pitch;
    volume.gain.setValueAtTime(0.12, context.currentTime + at);
    volume.gain.exponentialRampToValueAtTime(0.001, context.currentTime + at + 0.15);
    note.connect(volume).connect(context.destination);
    note.start(context.currentTime + at);
    note.stop(context.currentTime + at + 0.16);
  }
  setTimeout(() => context.close(), 600);
}
