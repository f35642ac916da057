// What there is to show: the clip found upstream, what the last run left, and which of the two counts.

import { focalDisparity } from "./focus_values.js";
import { PLAIN_LENS } from "./falloff.js";
import { decisionFor } from "./script.js";

const RADIUS_SHARE = 1 / 60;
const USUAL_RATE = 24;

export class Footage {
  // clip: VideoClip or StillClip; strip: Strip; run: { script, focal, strength, points, report, lens, isOf(script) } of
  // the node; each null where there is none. isStale: whether the clip is another one than that of the run.
  clip = null;
  strip = null;
  run = null;
  isStale = false;

  takeClip(clip) {
    this.clip?.close();
    this.clip = clip;
  }

  takeRun(strip, run) {
    this.strip?.close();
    this.strip = strip;
    this.run = run;
    this.isStale = false;
  }

  close() {
    this.clip?.close();
    this.strip?.close();
  }

  // Where the pictures come from: the last run, if it kept any and is not of another clip.
  get pictures() {
    return this.strip?.hasPictures && !(this.isStale && this.clip) ? this.strip : this.clip;
  }

  get maps() {
    return this.isStale && this.clip ? null : this.strip;
  }

  get count() {
    return this.maps?.count ?? this.pictures?.count ?? 0;
  }

  // Frames a second.
  get rate() {
    return this.clip?.rate ?? this.pictures?.rate ?? USUAL_RATE;
  }

  // Of the clip in px: { width, height }, or null where nothing is known.
  get size() {
    const from = this.maps ?? this.pictures;
    return from ? { width: from.width, height: from.height } : null;
  }

  // The lens that the last run had.
  get lens() {
    return (this.maps && this.run?.lens) || PLAIN_LENS;
  }

  get defaultRadius() {
    const { size } = this;
    return size ? Math.max(2, Math.round(Math.min(size.width, size.height) * RADIUS_SHARE)) : 8;
  }

  mapAt = (frame) => this.maps?.mapAt(frame) ?? null;

  focal(script, frame) {
    return focalDisparity(script, frame, this.mapAt, this.maps && this.run);
  }

  // What the last run reported, as long as it was made of these decisions.
  reported(script) {
    return (this.maps && this.run?.isOf(script) && this.run.report) || [];
  }

  // Where the last run looked in a frame, for what only a run can find: a followed subject, or one that nobody
  // chose. A point that was clicked at this very frame stays where it was clicked.
  tracked(script, frame) {
    const decision = decisionFor(script, frame);
    const isFound = !decision || (decision.kind === "follow" && decision.frame !== frame);
    const point = isFound && this.maps && this.run?.isOf(script) ? this.run.points?.[frame] : null;
    if (!point) return null;
    const { width, height } = this.size;
    return {
      frame: -1,
      kind: "follow",
      x: (point[0] + 0.5) / width,
      y: (point[1] + 0.5) / height,
      radius: decision?.radius,
    };
  }
}
