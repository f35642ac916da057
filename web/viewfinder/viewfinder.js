// A viewfinder: the picture, the lens, the timeline and the controls, around one script of decisions.
// It knows no front end: what it reads and writes comes through its model, clips and runs are given to it.

import { DecisionRow, StrengthRow, Transport } from "./controls.js";
import { element } from "./elements.js";
import { disparityAt, focalDisparity, placeAt } from "./focus_values.js";
import { SAMPLES, lensOfPage } from "./lens.js";
import { overlay } from "./overlay.js";
import {
  DEFAULT_TRANSITION,
  MOST_RADIUS_PX,
  decisionAt,
  decisionFor,
  retimed,
  strengthAt,
  transitionStart,
  withDecision,
  withStrength,
  withoutDecision,
  withoutStrength,
} from "./script.js";
import { Stage } from "./stage.js";
import { styleElement } from "./style.js";
import { say } from "./texts.js";
import { Timeline } from "./timeline.js";

// K is stated for a frame this wide.
const REFERENCE_WIDTH_PX = 1024;
const RADIUS_SHARE = 1 / 60;
const WHEEL_STEP = 1.15;
const SETTLED_MS = 250;
// Less than this many px of blur between two subjects is hardly seen.
const LEAST_SEEN_PX = 1;

export class Viewfinder {
  // model: { read() -> { script, fault }, write(script, { width, height }), restart(), hasMask(),
  // features: { kinds, transitions, strength } }
  constructor(texts, model) {
    this.texts = texts;
    this.model = model;
    this.frame = 0;
    this.clip = null;
    this.strip = null;
    this.run = null;
    this.notice = { key: "nothing", values: {} };
    this.failure = null;
    this.isStale = false;
    this.lensOn = true;
    this.hovered = null;
    this.picture = null;
    this.build();
    this.reload();
  }

  build() {
    const { texts, model } = this;
    this.stage = new Stage(texts, {
      pick: (x, y, moving) => this.pick(x, y, moving),
      pickEnd: (cancelled) => (cancelled ? this.reload() : this.commit()),
      hover: (place) => {
        this.hovered = place;
        this.sayWhatIsSeen();
      },
      wheel: (steps) => this.widen(steps),
      wiped: () => this.refresh(),
    });
    this.status = element("div", { className: "atb-status", role: "status", "aria-live": "polite" });
    this.notes = element("div", { className: "atb-status atb-notes" });
    this.transport = new Transport(texts, {
      play: () => this.togglePlay(),
      step: (by) => this.step(by),
      lens: () => {
        this.lensOn = !this.lensOn;
        this.refresh();
      },
      wipe: () => this.stage.setWipe(this.stage.wipeAt === null ? 0.5 : null),
    });
    this.timeline = new Timeline(texts, {
      seek: (frame) => this.seek(frame),
      retime: (lane, from, to) => this.retime(lane, from, to),
      changed: () => this.refresh(),
      commit: () => this.commit(),
      choose: (lane, frame) => this.seek(frame),
      remove: (lane, frame) =>
        this.edit(lane === "focus" ? withoutDecision(this.script, frame) : withoutStrength(this.script, frame)),
    });
    this.decisionRow = new DecisionRow(texts, model.features, {
      change: (part) => this.changeDecision(part),
      kind: (kind) => this.setKind(kind),
      remove: () => this.removeDecision(),
    });
    this.strengthRow = new StrengthRow(texts, {
      change: (k, done) => this.setStrength(k, done),
      key: () => this.toggleStrengthKey(),
    });
    this.element = element(
      "div",
      {
        className: "atb-viewfinder",
        role: "group",
        tabindex: 0,
        "aria-label": texts.viewfinder,
        "data-capture-wheel": "true",
        on: { keydown: (event) => this.key(event) },
      },
      styleElement(),
      this.stage.element,
      this.status,
      this.notes,
      this.transport.element,
      this.timeline.element,
      this.decisionRow.element,
    );
    if (this.decisionRow.way) this.element.append(this.decisionRow.way);
    if (model.features.strength) this.element.append(this.strengthRow.element);
  }

  // --- what is given from outside ---

  // The script as it stands in the widgets.
  reload() {
    const { script, fault } = this.model.read(this.size());
    this.script = script;
    this.fault = fault;
    this.refresh();
  }

  // clip: VideoClip or StillClip, or null with a notice that says why there is none.
  setClip(clip, notice = null) {
    this.stop();
    this.clip?.close();
    this.clip = clip;
    this.notice = notice;
    this.reload();
    this.seek(this.frame);
  }

  // strip: Strip or null; run: { script, focal, strength, report } of the node, or null.
  setRun(strip, run) {
    this.stop();
    this.strip?.close();
    this.strip = strip;
    this.run = run;
    this.isStale = false;
    this.failure = null;
    this.reload();
    this.seek(this.frame);
    // The host clears its temporary files when it starts.
    strip?.loadAll(() => this.refresh()).catch(() => this.lose(strip));
  }

  lose(strip) {
    if (strip !== this.strip) return;
    this.setRun(null, null);
    this.notice = { key: "gone", values: {} };
    this.fail(say(this.texts, "gone"));
  }

  setStale(isStale) {
    if (this.isStale === isStale) return;
    this.isStale = isStale;
    this.refresh();
  }

  fail(message) {
    this.failure = message;
    this.refresh();
  }

  close() {
    this.stop();
    this.clip?.close();
    this.strip?.close();
  }

  // --- what is shown ---

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

  size() {
    const from = this.maps ?? this.pictures;
    return from ? { width: from.width, height: from.height } : null;
  }

  mapAt = (frame) => this.maps?.mapAt(frame) ?? null;

  focal(frame) {
    return focalDisparity(this.script, frame, this.mapAt, this.maps && this.run);
  }

  // K in px of a picture of some width.
  strengthPx(width) {
    return (strengthAt(this.script, this.frame) * width) / REFERENCE_WIDTH_PX;
  }

  async seek(frame) {
    const { pictures } = this;
    if (!pictures) {
      this.picture = null;
      this.refresh();
      return;
    }
    // A strip of a long clip has some of its frames; what is clicked on must be what is shown.
    this.isMoving = true;
    this.frame = pictures.nearest(Math.min(Math.max(0, frame), Math.max(0, this.count - 1)));
    this.refresh();
    const wanted = this.frame;
    try {
      const [picture] = await Promise.all([pictures.at(wanted), this.maps?.loadMap(wanted)]);
      if (!picture || wanted !== this.frame || pictures !== this.pictures) return;
      this.picture = picture;
      this.refresh();
    } catch (error) {
      if (pictures === this.strip || this.maps) this.lose(this.strip);
      else this.fail(error.message);
    }
  }

  step(by) {
    this.stop();
    const { strip, pictures } = this;
    if (pictures === strip && strip) {
      const index = strip.indexOf(this.frame) + by;
      return this.seek(strip.shown[Math.min(strip.shown.length - 1, Math.max(0, index))]);
    }
    return this.seek(this.frame + by);
  }

  togglePlay() {
    if (this.playing) return this.stop();
    if (this.count < 2 || !this.pictures) return undefined;
    this.playing = true;
    return this.playOn();
  }

  async playOn() {
    const rate = this.clip?.rate ?? this.pictures.rate;
    let begun = performance.now();
    let from = this.frame >= this.count - 1 ? 0 : this.frame;
    while (this.playing && this.pictures) {
      const due = from + Math.floor(((performance.now() - begun) * rate) / 1000);
      if (due >= this.count) {
        begun = performance.now();
        from = 0;
        continue;
      }
      // One picture at a time: a slow machine leaves frames out and keeps the pace.
      await this.seek(due);
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
  }

  stop() {
    if (!this.playing) return;
    this.playing = false;
    this.refresh();
  }

  // Draws all that depends on the state, once a frame of the screen however often it is asked for.
  refresh() {
    if (this.refreshing) return;
    this.refreshing = requestAnimationFrame(() => {
      this.refreshing = null;
      this.show();
    });
  }

  show() {
    const { script, frame, count } = this;
    const chosen = decisionFor(script, frame);
    this.timeline.setScript(script, count, chosen?.frame ?? null, this.model.features.strength);
    this.timeline.setCurve(this.curve());
    const spoken =
      count > 0 ? say(this.texts, "frameOf", { frame, last: count - 1 }) : say(this.texts, "frameAlone", { frame });
    this.timeline.setFrame(frame, spoken);
    this.transport.show({
      spoken,
      playing: Boolean(this.playing),
      lens: this.lensOn,
      lensThere: Boolean(this.mapAt(frame)),
      wipe: this.stage.wipeAt !== null,
    });
    this.decisionRow.show({
      decision: chosen,
      count,
      isFirst: !chosen || chosen === script.focus[0],
      rate: this.clip?.rate ?? 24,
      possible: {
        point: true,
        lock: Boolean(this.mapAt(frame)) || chosen?.kind === "lock",
        follow: true,
        mask: this.model.hasMask() || chosen?.kind === "mask",
      },
      defaults: { radius: this.defaultRadius(), transition: DEFAULT_TRANSITION },
    });
    this.strengthRow.show(
      strengthAt(script, frame),
      script.strength.some((key) => key.frame === frame),
    );
    this.element.toggleAttribute("data-unreadable", Boolean(this.fault));
    this.draw();
    this.sayWhatIsSeen();
  }

  curve() {
    if (!this.maps || !this.script.focus.length) return [];
    return this.maps.shown.map((frame) => [frame, this.focal(frame)?.value ?? null]);
  }

  draw() {
    if (!this.pictures || !this.picture) {
      const notice = this.notice ?? { key: "loading", values: {} };
      this.stage.clear(say(this.texts, notice.key, notice.values));
      return;
    }
    const { image } = this.picture;
    const map = this.mapAt(this.frame);
    const focal = map && this.lensOn ? this.focal(this.frame) : null;
    const width = map?.width ?? image.naturalWidth ?? image.width;
    const height = map?.height ?? image.naturalHeight ?? image.height;
    this.stage.draw(image, focal && this.blurred(image, map, focal.value), width, height);
    this.showSample();
  }

  blurred(image, map, focus) {
    const lens = lensOfPage();
    const strengthPx = this.strengthPx(map.width);
    if (!lens) return overlay(image, map, focus, strengthPx);
    return lens.render(image, this.picture.key, map, focus, strengthPx, this.samples(lens));
  }

  samples(lens) {
    if (!lens.isSlow) return SAMPLES.best;
    if (!this.isMoving) return SAMPLES.slow;
    // What stands still is drawn well a moment later.
    clearTimeout(this.stillness);
    this.stillness = setTimeout(() => {
      this.isMoving = false;
      this.refresh();
    }, SETTLED_MS);
    return SAMPLES.hasty;
  }

  showSample() {
    const decision = this.tracked() ?? placeAt(this.script, this.frame);
    if (!decision || !["point", "follow"].includes(decision.kind)) return this.stage.setSample(null);
    const focal = this.mapAt(this.frame) && this.focal(this.frame);
    return this.stage.setSample({
      x: decision.x ?? 0.5,
      y: decision.y ?? 0.5,
      radius: (decision.radius ?? this.defaultRadius()) / Math.max(1, this.size()?.width ?? 1),
      held: decision.frame !== this.frame,
      text: focal ? focal.value.toFixed(2) : "",
    });
  }

  // Where the last run looked in this frame, for what only a run can find: a followed subject, or one that
  // nobody chose. A point that was clicked at this very frame stays where it was clicked.
  tracked() {
    const decision = decisionFor(this.script, this.frame);
    const isFound = !decision || (decision.kind === "follow" && decision.frame !== this.frame);
    const point = isFound && this.maps && this.run?.isOf(this.script) ? this.run.points?.[this.frame] : null;
    if (!point) return null;
    const { width, height } = this.size();
    return {
      frame: -1,
      kind: "follow",
      x: (point[0] + 0.5) / width,
      y: (point[1] + 0.5) / height,
      radius: decision?.radius,
    };
  }

  // One line: what is wrong, or what to do next, or what is seen.
  sayWhatIsSeen() {
    // What the last run reported, as long as it was made of these decisions.
    const reported = this.maps && this.run?.isOf(this.script) ? (this.run.report ?? []) : [];
    const notes = [...(this.hardlyMoves() ? [this.texts.sameDepth] : []), ...reported].join(" ");
    this.notes.textContent = notes;
    this.notes.title = notes;
    const { text, isBad, restart } = this.statement();
    this.status.classList.toggle("atb-bad", isBad);
    if (this.status.dataset.said === text) return;
    this.status.dataset.said = text;
    this.status.textContent = text;
    if (restart) {
      this.status.append(
        element("button", {
          type: "button",
          text: this.texts.startAnew,
          on: { click: () => this.model.restart() || this.reload() },
        }),
      );
    }
  }

  // Two subjects at one depth are sharp together: no rack focus shows, and people look for what they did wrong.
  hardlyMoves() {
    const { focus } = this.script;
    const at = focus.indexOf(decisionFor(this.script, this.frame));
    if (!this.maps || at < 1) return false;
    const before = this.focal(transitionStart(focus[at], focus[at - 1]))?.value;
    const after = this.focal(focus[at].frame)?.value;
    const moved = Math.abs(before - after) * this.strengthPx(this.size().width);
    return moved < LEAST_SEEN_PX && this.strengthPx(this.size().width) > 0;
  }

  statement() {
    const good = (key, values) => ({ text: say(this.texts, key, values), isBad: false });
    const bad = (key, values) => ({ text: say(this.texts, key, values), isBad: true });
    if (this.fault) return { ...bad(this.fault.key, this.fault.values), restart: true };
    if (this.failure) return bad("failed", { message: this.failure });
    if (this.isStale) return bad("stale");
    const { count, script } = this;
    if (!this.picture) return good("frameAlone", { frame: this.frame });
    const late = [...script.focus, ...script.strength].filter((key) => count && key.frame >= count).length;
    if (late) return bad("lateKeys", { count: late, last: count - 1 });
    if (script.frames && count && script.frames !== count) {
      return bad("otherLength", { made: script.frames, count });
    }
    const map = this.mapAt(this.frame);
    if (!map) return good("noDepth");
    if (!script.focus.length && !this.hovered) return good("clickFirst");
    return { text: this.readings(map), isBad: false };
  }

  readings(map) {
    const focal = this.focal(this.frame);
    if (!focal) return say(this.texts, "unknown");
    const k = strengthAt(this.script, this.frame);
    // In px of the clip, as it will be rendered.
    const px = (disparity) => this.strengthPx(this.size().width) * Math.abs(disparity - focal.value);
    const parts = [
      say(this.texts, "focusIs", { value: focal.value.toFixed(3) }),
      say(this.texts, "rest", {
        k: Math.round(k * 10) / 10,
        near: px(map.high).toFixed(1),
        far: px(map.low).toFixed(1),
      }),
    ];
    if (this.hovered) {
      const disparity = disparityAt(map, ...this.hovered);
      parts.push(say(this.texts, "here", { disparity: disparity.toFixed(2), px: px(disparity).toFixed(1) }));
    }
    if (!lensOfPage()) parts.push(this.texts.overlay);
    if (!focal.known) parts.push(this.texts.unknown);
    return parts.join(" · ");
  }

  // Height that shows the picture at the width there is.
  wantedHeight() {
    const { width, height } = this.stage.size;
    const rows = this.element.scrollHeight - this.stage.element.clientHeight;
    const picture = (this.element.clientWidth * height) / width;
    return Math.round(Math.min(1600, Math.max(180, picture)) + Math.min(260, Math.max(120, rows)));
  }

  // --- what is changed ---

  defaultRadius() {
    const size = this.size();
    return size ? Math.max(2, Math.round(Math.min(size.width, size.height) * RADIUS_SHARE)) : 8;
  }

  pick(x, y, moving) {
    if (this.fault || !this.picture) return false;
    if (!moving) this.stop();
    this.isMoving = true;
    const before = decisionFor(this.script, this.frame);
    const old = decisionAt(this.script, this.frame);
    // A click says: this place. What was locked or masked from here on gives way; how focus gets here stays.
    const kind = old?.kind === "follow" || (!old && before?.kind === "follow") ? "follow" : "point";
    const { disparity, ...kept } = old ?? {};
    const decision = {
      radius: before?.radius ?? this.defaultRadius(),
      transition: DEFAULT_TRANSITION,
      ease: "smooth",
      ...kept,
      frame: this.frame,
      kind,
      x: rounded(x),
      y: rounded(y),
    };
    this.script = this.made(withDecision(this.script, decision));
    this.refresh();
    return true;
  }

  widen(steps) {
    // Without the keyboard's focus the wheel is that of the page: nobody changes a sample in passing.
    if (!this.element.contains(document.activeElement)) return false;
    const decision = decisionFor(this.script, this.frame);
    if (this.fault || !decision || !this.picture || !["point", "follow"].includes(decision.kind)) return false;
    const old = decision.radius ?? this.defaultRadius();
    const radius = steps > 0 ? Math.max(old + 1, old * WHEEL_STEP) : Math.min(old - 1, old / WHEEL_STEP);
    this.script = withDecision(this.script, {
      ...decision,
      radius: Math.min(MOST_RADIUS_PX, Math.max(0, Math.round(radius))),
    });
    this.refresh();
    // One step of undo for one turn of the wheel.
    clearTimeout(this.wheelEnd);
    this.wheelEnd = setTimeout(() => this.commit(), 300);
    return true;
  }

  changeDecision(part) {
    const decision = decisionFor(this.script, this.frame);
    if (decision) this.edit(withDecision(this.script, { ...decision, ...part }));
  }

  setKind(kind) {
    const decision = decisionFor(this.script, this.frame);
    if (!decision) return;
    const { disparity, ...rest } = decision;
    // Of a lock it is the depth that is in focus now.
    const locked = kind === "lock" ? { disparity: rounded(this.focal(this.frame)?.value ?? disparity ?? 0.5) } : {};
    this.edit(withDecision(this.script, { ...rest, kind, ...locked }));
  }

  removeDecision() {
    const decision = decisionFor(this.script, this.frame);
    if (decision) this.edit(withoutDecision(this.script, decision.frame));
  }

  retime(lane, from, to) {
    const script = retimed(this.script, lane, from, to);
    if (script === this.script) return false;
    this.script = script;
    return true;
  }

  // Without a key, or with one, K is that of the whole clip; with more, that of this frame.
  setStrength(k, done) {
    const keys = this.script.strength;
    const frame = keys.length === 0 ? 0 : keys.length === 1 ? keys[0].frame : this.frame;
    this.script = this.made(withStrength(this.script, frame, k));
    this.isMoving = !done;
    if (done) this.commit();
    else this.refresh();
  }

  toggleStrengthKey() {
    const isKey = this.script.strength.some((key) => key.frame === this.frame);
    if (isKey) return this.edit(withoutStrength(this.script, this.frame));
    let script = this.script;
    // The first key at a later frame would be that of the whole clip: what is there from the start stays.
    if (!script.strength.length && this.frame > 0) script = withStrength(script, 0, strengthAt(script, 0));
    return this.edit(withStrength(script, this.frame, strengthAt(this.script, this.frame)));
  }

  made(script) {
    return { ...script, frames: this.count || script.frames };
  }

  edit(script) {
    this.script = script;
    this.commit();
  }

  commit() {
    clearTimeout(this.wheelEnd);
    if (!this.fault) this.model.write(this.script, this.size());
    this.refresh();
  }

  key(event) {
    // What is typed into a field is the field's.
    if (["INPUT", "SELECT", "BUTTON"].includes(event.target.tagName) && event.key !== "Escape") {
      event.stopPropagation();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const ends = { Home: 0, End: this.count - 1 };
    const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 };
    if (event.key in steps) this.step(steps[event.key]);
    else if (event.key in ends) this.seek(ends[event.key]);
    else if (event.key === " ") this.togglePlay();
    else if (event.key === "Delete" || event.key === "Backspace") this.removeDecision();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

function rounded(share) {
  return Math.round(share * 10000) / 10000;
}
