// The focal disparity of a frame, by the same rules as the node's: measured where the point lies, held or
// locked, and moved in disparity between two decisions.

import { DEFAULT_RADIUS_PX, decisionFor, eased, focusSegment } from "./script.js";

// Lower median of the disparity in a disk: of a disk across an edge it picks one of the two surfaces.
// map: { width, height, values: Uint8Array, scale: its width over that of the clip }; radius in px of the
// clip; returns 0 to 1.
export function medianInDisk(map, x, y, radius) {
  const { width, height, values } = map;
  const [centreX, centreY] = pixelOf(map, x, y);
  const radiusPx = Math.round(radius * (map.scale ?? 1));
  const counts = new Uint32Array(256);
  let total = 0;
  for (let row = Math.max(centreY - radiusPx, 0); row <= Math.min(centreY + radiusPx, height - 1); row++) {
    for (let column = Math.max(centreX - radiusPx, 0); column <= Math.min(centreX + radiusPx, width - 1); column++) {
      if ((row - centreY) ** 2 + (column - centreX) ** 2 > radiusPx ** 2) continue;
      counts[values[row * width + column]]++;
      total++;
    }
  }
  let value = 0;
  for (let below = counts[0]; below < (total + 1) >> 1; below += counts[++value]);
  return value / 255;
}

export function disparityAt(map, x, y) {
  const [column, row] = pixelOf(map, x, y);
  return map.values[row * map.width + column] / 255;
}

function pixelOf(map, x, y) {
  return [Math.min(map.width - 1, Math.floor(x * map.width)), Math.min(map.height - 1, Math.floor(y * map.height))];
}

// { value, known }: known is false where only a run can tell (nothing chosen, a followed subject, a mask)
// and the value is the nearest guess; null where there is no guess either.
// run: { script, focal, isOf(script) -> whether it was made of this one } of the last run, or null. mapAt(frame): disparity of that frame, or null.
export function focalDisparity(script, frame, mapAt, run) {
  // What the node itself found for this very script.
  if (run && run.focal[frame] !== undefined && run.isOf(script)) return { value: run.focal[frame], known: true };
  if (script.follows) return measured(placeAt(script, frame), frame, mapAt, true);
  const segment = focusSegment(script, frame);
  if (!segment) return run ? { value: run.focal[frame] ?? 0.5, known: false } : null;
  const from = valueOf(segment.from, segment.start, mapAt, run);
  const to = segment.from === segment.to ? from : valueOf(segment.to, segment.to.frame, mapAt, run);
  if (!from || !to) return null;
  return {
    value: from.value + (to.value - from.value) * segment.weight,
    known: from.known && to.known,
  };
}

// The decision in force, at the place where it looks; a point that follows moves from one to the next.
export function placeAt(script, frame) {
  const held = decisionFor(script, frame);
  const next = script.follows && script.focus.find((decision) => decision.frame > frame);
  if (!held || !next || frame < held.frame) return held;
  const weight = eased((frame - held.frame) / (next.frame - held.frame), next.ease);
  return { ...held, x: held.x + (next.x - held.x) * weight, y: held.y + (next.y - held.y) * weight };
}

function valueOf(decision, frame, mapAt, run) {
  if (decision.kind === "lock") return { value: decision.disparity, known: true };
  if (decision.kind === "point") return measured(decision, frame, mapAt, true);
  const held = run && heldInRun(decision, frame, run);
  if (held !== null) return { value: held, known: false };
  return decision.kind === "follow" ? measured(decision, decision.frame, mapAt, frame === decision.frame) : null;
}

function measured(decision, frame, mapAt, known) {
  const map = mapAt(frame);
  if (!map) return null;
  return { value: medianInDisk(map, decision.x ?? 0.5, decision.y ?? 0.5, decision.radius ?? DEFAULT_RADIUS_PX), known };
}

// What the last run measured for the same decision while it was held, nearest to a frame.
function heldInRun(decision, frame, run) {
  if (!run.script?.focus.some((other) => JSON.stringify(other) === JSON.stringify(decision))) return null;
  let best = null;
  for (let t = 0; t < run.focal.length; t++) {
    const segment = focusSegment(run.script, t);
    if (segment.weight !== 0 || segment.from.frame !== decision.frame) continue;
    if (best === null || Math.abs(t - frame) < Math.abs(best - frame)) best = t;
  }
  return best === null ? null : run.focal[best];
}
