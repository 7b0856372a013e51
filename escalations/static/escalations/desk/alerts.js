// What a person is told wherever they are in the desk: new escalations, messages of their customers, what is handed to
// them. The marks stand on every page until they are followed. Sound and desktop notifications are off until someone
// turns them on; this browser remembers that, and what it has told already in any of its tabs.
const TOLD = "desk-told";
const KEPT = 24 * 3_600_000;
const BLANK = "00000000-0000-0000-0000-000000000000";
const KINDS = ["new", "wrote", "handed"];

// Gives a function that is called with every answer of the live channel, and returns what the title says of it.
export function alerts(panel, shown) {
  const me = Number(panel.dataset.me);
  const tone = controls(panel);
  const waits = { wrote: new Map(), handed: new Map() };
  if (shown) forget(shown);

  return (desk) => {
    const told = read();
    const mine = new Set(Object.keys(desk.claims).filter((id) => desk.claims[id][0] === me));
    const news = {
      new: Object.entries(desk.arrived),
      wrote: Object.entries(desk.written).filter(([id]) => mine.has(id)),
      handed: Object.entries(desk.handed).map(([id, [, at]]) => [id, at]),
    };
    const isSeen = (id) => id === shown && !document.hidden;
    const fresh = KINDS.filter((kind) => {
      const untold = news[kind].filter(([id, what]) => !told[`${kind}:${id}:${what}`]);
      for (const [id, what] of untold) {
        told[`${kind}:${id}:${what}`] = Date.now();
        if (kind !== "new" && !isSeen(id)) told[`wait:${kind}:${id}`] = Date.now();
      }
      return untold.some(([id]) => !isSeen(id));
    });
    // What was closed, or handed over, no longer waits for this person.
    for (const kind of ["wrote", "handed"]) {
      for (const key of Object.keys(told).filter((key) => key.startsWith(`wait:${kind}:`))) {
        const id = key.slice(`wait:${kind}:`.length);
        if (!mine.has(id) || isSeen(id)) delete told[key];
      }
      waits[kind] = Object.keys(told).filter((key) => key.startsWith(`wait:${kind}:`)).map((key) => key.split(":")[2]);
    }
    write(told);
    for (const kind of fresh) tone(kind, words(kind, desk));
    mark("new", Object.keys(desk.arrived), panel.dataset.queue);
    for (const kind of ["wrote", "handed"]) mark(kind, waits[kind], panel.dataset.mine);
    return ["handed", "wrote"].filter((kind) => waits[kind].length).map((kind) => words(kind, desk));
  };

  function words(kind, desk) {
    if (kind !== "handed") return panel.dataset[kind];
    const giver = Object.values(desk.handed).at(-1)?.[0] ?? "";
    return panel.dataset.handed.replace("{name}", `\u2068${giver}\u2069`);
  }

  // One leads to its page, several to a list of just these.
  function mark(kind, ids, several) {
    const link = panel.querySelector(`[data-mark="${kind}"]`);
    if (!link) return;
    link.hidden = ids.length === 0;
    link.querySelector("[data-mark-count]").textContent = ids.length.toLocaleString(
      document.documentElement.lang === "ar" ? "ar-EG-u-nu-latn" : "en",
    );
    if (ids.length === 1) {
      link.href = panel.dataset.escalation.replace(BLANK, ids[0]);
    } else if (ids.length > 1) {
      const address = new URL(several, location);
      address.searchParams.set("only", ids.slice(0, 50).join(","));
      link.href = address.href;
    }
  }
}

// Opening an escalation clears its marks.
function forget(id) {
  const told = read();
  for (const key of Object.keys(told)) if (key.startsWith("wait:") && key.endsWith(id)) delete told[key];
  write(told);
}

function controls(panel) {
  const menu = panel.querySelector("[data-alerts]");
  const sound = menu.querySelector("[data-sound]");
  const notify = menu.querySelector("[data-notify]");
  const refused = menu.querySelector("[data-refused]");
  const kinds = [...menu.querySelectorAll("[data-kind]")];
  const isGranted = () => "Notification" in window && Notification.permission === "granted";

  menu.hidden = false;
  sound.checked = localStorage.getItem("desk-sound") === "on";
  notify.checked = localStorage.getItem("desk-notify") === "on" && isGranted();
  sound.addEventListener("change", () => {
    localStorage.setItem("desk-sound", sound.checked ? "on" : "off");
    if (sound.checked) play();
  });
  notify.addEventListener("change", async () => {
    if (notify.checked && !isGranted()) {
      notify.checked = "Notification" in window && (await Notification.requestPermission()) === "granted";
      refused.hidden = notify.checked;
    }
    localStorage.setItem("desk-notify", notify.checked ? "on" : "off");
  });
  for (const kind of kinds) {
    const name = `desk-alert-${kind.dataset.kind}`;
    kind.checked = localStorage.getItem(name) !== "off";
    kind.addEventListener("change", () => localStorage.setItem(name, kind.checked ? "on" : "off"));
  }

  return (kind, words) => {
    if (kinds.some((one) => one.dataset.kind === kind && !one.checked)) return;
    if (sound.checked) play();
    if (notify.checked && document.hidden) new Notification(words, { tag: `desk-${kind}` });
  };
}

function read() {
  let told = {};
  try {
    told = JSON.parse(localStorage.getItem(TOLD)) ?? {};
  } catch {
    // Told once more.
  }
  for (const key of Object.keys(told)) if (!(told[key] > Date.now() - KEPT)) delete told[key];
  return told;
}

function write(told) {
  try {
    localStorage.setItem(TOLD, JSON.stringify(told));
  } catch {
    // A full store: told once more.
  }
}

// Two short notes. A browser keeps a page silent until someone has interacted with it.
function play() {
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
