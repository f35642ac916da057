// What is said below the picture: what is wrong, or what to do next, or what is seen.

import { radiusPx } from "./falloff.js";
import { disparityAt } from "./focus_values.js";
import { decisionFor, strengthAt, transitionStart } from "./script.js";
import { say } from "./texts.js";

// Less than this many px of blur between two subjects is hardly seen.
const LEAST_SEEN_PX = 1;

// The line of status: { text, isBad, canRestart }.
// seen: { footage, script, fault, failure, frame, picture, hovered: [x, y] or null, hasLens }.
export function statement(texts, seen) {
  const { footage, script, fault, failure, frame } = seen;
  const good = (key, values) => ({ text: say(texts, key, values), isBad: false });
  const bad = (key, values) => ({ text: say(texts, key, values), isBad: true });
  if (fault) return { ...bad(fault.key, fault.values), canRestart: true };
  if (failure) return bad("failed", { message: failure });
  if (footage.isStale) return bad("stale");
  if (!seen.picture) return good("frameAlone", { frame });
  const { count } = footage;
  const late = [...script.focus, ...script.strength].filter((key) => count && key.frame >= count).length;
  if (late) return { ...bad("lateKeys", { count: late, last: count - 1 }), canRestart: true };
  if (script.frames && count && script.frames !== count) {
    return { ...bad("otherLength", { made: script.frames, count }), canRestart: true };
  }
  const map = footage.mapAt(frame);
  if (!map) return good(script.focus.length ? "runFirst" : "noDepth");
  if (!script.focus.length && !seen.hovered) return good("clickFirst");
  return { text: readings(texts, seen, map), isBad: false };
}

function readings(texts, { footage, script, frame, hovered, hasLens }, map) {
  const focal = footage.focal(script, frame);
  if (!focal) return say(texts, "unknown");
  const k = strengthAt(script, frame);
  // In px of the clip, as it will be rendered.
  const { width } = footage.size;
  const px = (disparity) => Math.abs(radiusPx(footage.lens, disparity, focal.value, k, width)).toFixed(1);
  const parts = [
    say(texts, "focusIs", { value: focal.value.toFixed(3) }),
    say(texts, "rest", { k: Math.round(k * 10) / 10, near: px(map.high), far: px(map.low) }),
  ];
  if (hovered) {
    const disparity = disparityAt(map, ...hovered);
    parts.push(say(texts, "here", { disparity: disparity.toFixed(2), px: px(disparity) }));
  }
  if (!hasLens) parts.push(texts.overlay);
  if (!focal.known) parts.push(texts.unknown);
  return parts.join(" · ");
}

// Lines that are no fault: what the run reported, and what a preview cannot show.
export function notes(texts, { footage, script, frame }) {
  const lines = hardlyMoves(footage, script, frame) ? [texts.sameDepth] : [];
  lines.push(...footage.reported(script));
  const { unseen } = footage.lens;
  if (unseen.length) lines.push(say(texts, "lensUnseen", { names: unseen.join(", ") }));
  return lines.join(" ");
}

// Two subjects at one depth are sharp together: no rack focus shows, and people look for what they did wrong.
function hardlyMoves(footage, script, frame) {
  const { focus } = script;
  const at = focus.indexOf(decisionFor(script, frame));
  if (!footage.maps || at < 1) return false;
  const before = footage.focal(script, transitionStart(focus[at], focus[at - 1]))?.value;
  const after = footage.focal(script, focus[at].frame)?.value;
  const k = strengthAt(script, frame);
  return k > 0 && Math.abs(radiusPx(footage.lens, before, after, k, footage.size.width)) < LEAST_SEEN_PX;
}
