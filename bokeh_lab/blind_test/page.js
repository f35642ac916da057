// The blind test: start page, the pairs one after the other, saving the answers.
"use strict";

const ANSWERS_FORMAT = "blind test answers 1";
const test = JSON.parse(document.getElementById("test").textContent);
const pairs = new Map(test.pairs.map((pair) => [pair.pair, pair]));
const element = (id) => document.getElementById(id);
const players = new Players([element("left"), element("right"), element("sharp")], showPlaying);
const store = storedUnder(`blind_test_${test.test}`);

let session = store.read() ?? newSession();
let shownSince = null; // ms; null while nothing can be judged

// ---- what a rater is given, and what is kept of it ----

function newSession() {
  return {
    rater: Array.from(crypto.getRandomValues(new Uint32Array(2)), (n) => n.toString(16).padStart(8, "0")).join(""),
    // Each rater's sides are balanced by the page's maker; half of the raters see all of them swapped.
    swapped: Math.random() < 0.5,
    order: drawOrder(),
    at: 0,
    answers: {},
  };
}

// Rounds over all clips, so that a clip comes back as late as possible.
function drawOrder() {
  const ofClip = new Map();
  for (const pair of shuffled(test.pairs)) ofClip.set(pair.clip, [...(ofClip.get(pair.clip) ?? []), pair.pair]);
  const clips = [...ofClip.values()];
  const rounds = test.one_peer_per_clip ? 1 : Math.max(...clips.map((names) => names.length));
  const order = [];
  for (let round = 0; round < rounds; round++) {
    order.push(...shuffled(clips.filter((names) => round < names.length)).map((names) => names[round]));
  }
  return order;
}

function shuffled(things) {
  const result = [...things];
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [result[i], result[j]] = [result[j], result[i]];
  }
  return result;
}

// A browser may refuse storage to local files; the test then works in one sitting.
function storedUnder(name) {
  try {
    const storage = window.localStorage;
    storage.setItem(`${name}_probe`, "");
    storage.removeItem(`${name}_probe`);
    return {
      read: () => JSON.parse(storage.getItem(name)),
      write: (value) => storage.setItem(name, JSON.stringify(value)),
      works: true,
    };
  } catch {
    return { read: () => null, write: () => {}, works: false };
  }
}

function videosOf(name) {
  const { videos, sharp } = pairs.get(name);
  const [left, right] = session.swapped ? [videos[1], videos[0]] : videos;
  return { left, right, sharp };
}

function answersFile() {
  const fileName = (path) => path.slice(path.lastIndexOf("/") + 1);
  const answers = session.order.map((name) => {
    const { left, right } = videosOf(name);
    return { pair: name, left: fileName(left), right: fileName(right), ...session.answers[name] };
  });
  return { format: ANSWERS_FORMAT, test: test.test, rater: session.rater, answers };
}

// ---- the three views ----

function show(view) {
  for (const id of ["start", "rate", "end"]) element(id).hidden = id !== view;
}

function showStart() {
  const answered = Object.keys(session.answers).length;
  element("pair_count").textContent = session.order.length;
  element("sharp_note").hidden = !test.pairs[0].sharp;
  element("begin").textContent = answered ? "Continue" : "Start";
  element("resume_note").textContent = answered
    ? `You have rated ${answered} of ${session.order.length} pairs.`
    : store.works
      ? "You may close the page at any time and go on later in this browser."
      : "This browser keeps nothing for this page: please finish without closing or reloading it.";
  show("start");
  element("begin").focus();
}

async function showPair() {
  if (session.at >= session.order.length) {
    showEnd();
    return;
  }
  const name = session.order[session.at];
  const { left, right, sharp } = videosOf(name);
  shownSince = null;
  show("rate");
  element("rate").setAttribute("aria-busy", "true");
  element("progress").textContent = `Pair ${session.at + 1} of ${session.order.length}`;
  element("bar").max = session.order.length;
  element("bar").value = session.at;
  element("back").disabled = session.at === 0;
  element("sharp_view").hidden = !sharp;
  element("trouble").hidden = true;
  for (const choice of ["left", "skip", "right"]) {
    element(`choose_${choice}`).setAttribute("aria-pressed", String(session.answers[name]?.choice === choice));
    element(`choose_${choice}`).disabled = true;
  }
  // Away from the buttons: Space on the last choice's button would choose again.
  element("progress").focus();
  try {
    if (!(await players.load([left, right, sharp]))) return;
    for (const choice of ["left", "right"]) element(`choose_${choice}`).disabled = false;
  } catch (error) {
    if (session.order[session.at] !== name) return;
    element("trouble").textContent = `This browser cannot play ${error.message}. Please skip the pair.`;
    element("trouble").hidden = false;
  }
  element("choose_skip").disabled = false;
  element("rate").setAttribute("aria-busy", "false");
  shownSince = performance.now();
}

function showEnd() {
  players.unload();
  shownSince = null;
  element("saved").textContent = "";
  show("end");
  element("save").focus();
}

function showPlaying() {
  element("play").firstChild.data = players.playing ? "Pause " : "Play ";
  element("loop").setAttribute("aria-pressed", String(players.looping));
}

// ---- what a rater does ----

function choose(choice) {
  if (element(`choose_${choice}`).disabled) return;
  const name = session.order[session.at];
  const before = session.answers[name]?.seconds ?? 0;
  const seconds = before + (performance.now() - shownSince) / 1000;
  session.answers[name] = { choice, seconds: Number(seconds.toFixed(3)) };
  goTo(session.at + 1);
}

function goTo(at) {
  if (at < 0) return;
  session.at = at;
  store.write(session);
  showPair();
}

function save() {
  const link = document.createElement("a");
  const blob = new Blob([JSON.stringify(answersFile(), null, 1)], { type: "application/json" });
  link.href = URL.createObjectURL(blob);
  link.download = `answers-${session.rater}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  element("saved").textContent = `Saved as ${link.download} in this browser's download folder.`;
}

function startAnew() {
  if (!confirm("Have you saved the answers? They will be gone from this page.")) return;
  session = newSession();
  store.write(session);
  showStart();
}

// Videos that are still loading would start one by one.
const onceShown = (action) => () => shownSince !== null && action();
const play = onceShown(() => players.togglePlaying());
const restart = onceShown(() => players.restart());
const loop = () => players.toggleLooping();

const KEYS = {
  rate: {
    ArrowLeft: () => choose("left"),
    ArrowRight: () => choose("right"),
    s: () => choose("skip"),
    " ": play,
    r: restart,
    l: loop,
    Backspace: () => goTo(session.at - 1),
  },
  end: { Backspace: () => goTo(session.at - 1) },
};

document.addEventListener("keydown", (event) => {
  // Held keys would answer pair after pair; with a modifier they are the browser's.
  if (event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === " " && event.target instanceof HTMLButtonElement) return;
  const view = ["rate", "end"].find((id) => !element(id).hidden);
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const action = KEYS[view]?.[key];
  if (!action) return;
  event.preventDefault();
  action();
});

element("begin").onclick = () => goTo(session.at);
for (const choice of ["left", "skip", "right"]) element(`choose_${choice}`).onclick = () => choose(choice);
element("play").onclick = play;
element("restart").onclick = restart;
element("loop").onclick = loop;
element("back").onclick = element("end_back").onclick = () => goTo(session.at - 1);
element("save").onclick = save;
element("another").onclick = startAnew;

if (session.at >= session.order.length) showEnd();
else showStart();
