// The script of focus decisions: one JSON string, read, written and edited here and nowhere else.
// Frames count from 0; x, y are fractions of the picture; radius is in px of the disparity.

export const VERSION = 1;
export const KINDS = ["point", "lock", "follow", "mask"];
export const EASES = ["smooth", "linear", "cut"];
export const MOST_STRENGTH = 200;
export const DEFAULT_STRENGTH = 16;
export const DEFAULT_RADIUS_PX = 8;
const LARGEST_RADIUS_PX = 65536;
const MOST_FRAME = 10_000_000;
const FIELDS = {
  script: ["version", "frames", "focus", "strength"],
  focus: ["frame", "kind", "x", "y", "radius", "disparity", "transition", "ease"],
  strength: ["frame", "k", "ease"],
};
export const MOST_RADIUS_PX = 512;
export const DEFAULT_TRANSITION = 12;

export function emptyScript() {
  return { version: VERSION, frames: 0, focus: [], strength: [] };
}

// { script, fault }: a text that cannot be read gives an empty script and the key of what is wrong with it.
export function readScript(text) {
  if (typeof text !== "string" || text.trim() === "") return { script: emptyScript(), fault: null };
  try {
    return { script: checked(JSON.parse(text)), fault: null };
  } catch (error) {
    const fault = error instanceof Fault ? error : new Fault("notJson", {});
    return { script: emptyScript(), fault: { key: fault.key, values: fault.values } };
  }
}

export function writeScript(script) {
  return JSON.stringify({
    ...script,
    focus: byFrame(script.focus),
    strength: byFrame(script.strength),
  });
}

export function decisionAt(script, frame) {
  return script.focus.find((decision) => decision.frame === frame) ?? null;
}

// The decision whose picture is held or approached at a frame: the last one up to it, or the first of all.
export function decisionFor(script, frame) {
  const sorted = byFrame(script.focus);
  return sorted.filter((decision) => decision.frame <= frame).at(-1) ?? sorted[0] ?? null;
}

export function withDecision(script, decision) {
  const others = script.focus.filter((other) => other.frame !== decision.frame);
  return { ...script, focus: byFrame([...others, decision]) };
}

export function withoutDecision(script, frame) {
  return { ...script, focus: script.focus.filter((decision) => decision.frame !== frame) };
}

// A diamond that is dragged never swallows another: the frame of one that stands there is refused.
export function retimed(script, lane, from, to) {
  const keys = script[lane];
  if (from === to || keys.some((key) => key.frame === to)) return script;
  return { ...script, [lane]: byFrame(keys.map((key) => (key.frame === from ? { ...key, frame: to } : key))) };
}

export function withStrength(script, frame, k) {
  const old = script.strength.find((key) => key.frame === frame);
  const others = script.strength.filter((key) => key.frame !== frame);
  return { ...script, strength: byFrame([...others, { ease: "smooth", ...old, frame, k }]) };
}

export function withoutStrength(script, frame) {
  return { ...script, strength: script.strength.filter((key) => key.frame !== frame) };
}

export function eased(fraction, ease) {
  if (ease === "cut") return fraction < 1 ? 0 : 1;
  return ease === "smooth" ? fraction * fraction * (3 - 2 * fraction) : fraction;
}

// First frame of the way to a decision: never before the decision before it.
export function transitionStart(decision, before) {
  if (decision.ease === "cut") return decision.frame;
  return Math.max(before.frame, decision.frame - (decision.transition ?? DEFAULT_TRANSITION));
}

// { from, to, weight, start }: between which decisions focus stands at a frame, how far it has come, and the
// frame where the way began. Both ends of a way stand still: the value held at its start, and the new one.
export function focusSegment(script, frame) {
  const sorted = byFrame(script.focus);
  if (!sorted.length) return null;
  const next = sorted.findIndex((decision) => decision.frame > frame);
  const held = sorted[next === -1 ? sorted.length - 1 : Math.max(0, next - 1)];
  const atRest = { from: held, to: held, weight: 0, start: frame };
  if (next <= 0) return atRest;
  const to = sorted[next];
  const start = transitionStart(to, held);
  if (frame <= start) return atRest;
  return { from: held, to, weight: eased((frame - start) / (to.frame - start), to.ease ?? "smooth"), start };
}

// K of a frame, in px on a frame 1024 px wide: it moves from key to key and is held outside of them.
export function strengthAt(script, frame) {
  const keys = byFrame(script.strength);
  if (!keys.length) return DEFAULT_STRENGTH;
  const next = keys.findIndex((key) => key.frame > frame);
  if (next === 0) return keys[0].k;
  if (next === -1) return keys.at(-1).k;
  const [from, to] = [keys[next - 1], keys[next]];
  const weight = eased((frame - from.frame) / (to.frame - from.frame), to.ease ?? "smooth");
  return from.k + (to.k - from.k) * weight;
}

export function byFrame(keys) {
  return [...keys].sort((a, b) => a.frame - b.frame);
}

class Fault extends Error {
  constructor(key, values) {
    super(key);
    this.key = key;
    this.values = values;
  }
}

function checked(raw) {
  if (raw === null || typeof raw !== "object" || Array.isArray(raw)) throw new Fault("notScript", {});
  if (raw.version !== VERSION) throw new Fault("otherVersion", { version: String(raw.version) });
  const script = { ...emptyScript(), ...raw };
  if (!isWhole(script.frames, MOST_FRAME)) throw new Fault("badValue", { name: "frames" });
  refuseUnknown(raw, "script", "");
  for (const lane of ["focus", "strength"]) {
    if (!Array.isArray(script[lane])) throw new Fault("badValue", { name: lane });
    script[lane].forEach((key, index) => checkKey(key, lane, `${lane}[${index}]`));
    const frames = script[lane].map((key) => key.frame);
    if (new Set(frames).size < frames.length) throw new Fault("twice", { name: lane });
    script[lane] = byFrame(script[lane]);
  }
  return script;
}

function checkKey(key, lane, name) {
  const need = (good, part) => {
    if (!good) throw new Fault("badValue", { name: `${name}.${part}` });
  };
  const between = (value, low, high) => typeof value === "number" && value >= low && value <= high;
  need(key !== null && typeof key === "object", "frame");
  refuseUnknown(key, lane, `${name}.`);
  need(isWhole(key.frame, MOST_FRAME), "frame");
  need(key.ease === undefined || EASES.includes(key.ease), "ease");
  if (lane === "strength") return need(between(key.k, 0, MOST_STRENGTH), "k");
  need(KINDS.includes(key.kind), "kind");
  if (key.kind === "lock") need(between(key.disparity, 0, 1), "disparity");
  else need(key.disparity === undefined, "disparity");
  for (const part of ["x", "y"]) need(key[part] === undefined || between(key[part], 0, 1), part);
  need(key.radius === undefined || isWhole(key.radius, LARGEST_RADIUS_PX), "radius");
  return need(key.transition === undefined || isWhole(key.transition, MOST_FRAME), "transition");
}

function isWhole(value, most) {
  return Number.isInteger(value) && value >= 0 && value <= most;
}

function refuseUnknown(given, fields, prefix) {
  const unknown = Object.keys(given).find((name) => !FIELDS[fields].includes(name));
  if (unknown !== undefined) throw new Fault("unknownField", { name: `${prefix}${unknown}` });
}
