// A viewfinder: the picture, the lens, the timeline and the controls, around one script of decisions.
// It knows no front end: what it reads and writes comes through its model, clips and runs are given to it.

import { DecisionRow, StrengthRow, Transport } from "./controls.js";
import { Editor } from "./editor.js";
import { element } from "./elements.js";
import { Footage } from "./footage.js";
import { keyListener } from "./keyboard.js";
import { lensOfPage } from "./lens.js";
import { LensPicture } from "./lens_picture.js";
import { Player } from "./player.js";
import { DEFAULT_TRANSITION, focusSegment, strengthAt } from "./script.js";
import { Stage } from "./stage.js";
import { notes, statement } from "./statement.js";
import { styleElement } from "./style.js";
import { say } from "./texts.js";
import { Timeline } from "./timeline.js";

// Of all that is below the picture, where it is as narrow as it can be.
const MOST_ROWS_PX = 360;

export class Viewfinder {
  // model: { read(size) -> { script, fault }, write(script, { width, height }), restart(), hasMask(),
  // features: { kinds, transitions, strength } }
  constructor(texts, model) {
    this.texts = texts;
    this.model = model;
    this.notice = { key: "nothing", values: {} };
    this.failure = null;
    this.hovered = null;
    const changed = () => this.refresh();
    this.footage = new Footage();
    this.player = new Player(this.footage, {
      changed,
      failed: (error, ofStrip) => (ofStrip ? this.lose(this.footage.strip) : this.fail(error.message)),
    });
    this.editor = new Editor(model, this.footage, this.player, { changed });
    this.stage = this.makeStage();
    this.lensPicture = new LensPicture(this.stage, this.footage, { rested: changed });
    this.makeControls();
    this.element = this.makeElement();
    this.reload();
  }

  makeStage() {
    return new Stage(this.texts, {
      pick: (x, y, moving) => {
        if (!moving) this.player.stop();
        this.lensPicture.isMoving = true;
        return this.editor.pick(x, y);
      },
      pickEnd: (cancelled) => (cancelled ? this.editor.reload() : this.editor.commit()),
      pinch: () => {
        const begun = this.editor.radius;
        return (ratio) => begun !== null && this.editor.setRadius(begun * ratio);
      },
      hover: (place) => {
        this.hovered = place;
        this.sayWhatIsSeen();
      },
      // Without the keyboard's focus the wheel is that of the page: nobody changes a sample in passing.
      wheel: (steps) => this.element.contains(document.activeElement) && this.editor.widen(steps),
      wiped: () => this.refresh(),
      shaped: () => this.onShaped?.(),
    });
  }

  makeControls() {
    const { texts, model, editor, player } = this;
    this.status = element("div", { className: "atb-status", role: "status", "aria-live": "polite" });
    this.notes = element("div", { className: "atb-status atb-notes" });
    this.transport = new Transport(texts, {
      play: () => player.toggle(),
      step: (by) => this.step(by),
      lens: () => {
        this.lensPicture.lensOn = !this.lensPicture.lensOn;
        this.refresh();
      },
      wipe: () => this.stage.setWipe(this.stage.wipeAt === null ? 0.5 : null),
    });
    this.timeline = new Timeline(texts, {
      seek: (frame) => this.seek(frame),
      retime: (lane, from, to) => editor.retime(lane, from, to),
      changed: () => this.refresh(),
      commit: () => editor.commit(),
      choose: (lane, frame) => this.seek(frame),
      remove: (lane, frame) => editor.removeKey(lane, frame),
    });
    this.decisionRow = new DecisionRow(texts, model.features, {
      change: (part) => editor.changeDecision(part),
      kind: (kind) => editor.setKind(kind),
      remove: () => editor.removeDecision(),
    });
    this.strengthRow = new StrengthRow(texts, {
      change: (k, done) => {
        this.lensPicture.isMoving = !done;
        editor.setStrength(k, done);
      },
      key: () => editor.toggleStrengthKey(),
    });
  }

  makeElement() {
    const keydown = keyListener({
      step: (by) => this.step(by),
      first: () => this.seek(0),
      last: () => this.seek(this.footage.count - 1),
      play: () => this.player.toggle(),
      remove: () => this.editor.removeDecision(),
    });
    const made = element(
      "div",
      {
        className: "atb-viewfinder",
        role: "group",
        tabindex: 0,
        "aria-label": this.texts.viewfinder,
        "data-capture-wheel": "true",
        on: { keydown },
      },
      styleElement(),
      this.stage.element,
      this.status,
      this.notes,
      this.transport.element,
      this.timeline.element,
      this.decisionRow.element,
    );
    if (this.decisionRow.way) made.append(this.decisionRow.way);
    if (this.model.features.strength) made.append(this.strengthRow.element);
    return made;
  }

  // --- what is given from outside ---

  get frame() {
    return this.player.frame;
  }

  // The script as it stands in the widgets.
  reload() {
    this.editor.reload();
  }

  seek(frame) {
    this.lensPicture.isMoving = true;
    return this.player.seek(frame);
  }

  step(by) {
    this.lensPicture.isMoving = true;
    return this.player.step(by);
  }

  // clip: VideoClip or StillClip, or null with a notice that says why there is none.
  setClip(clip, notice = null) {
    this.player.stop();
    this.footage.takeClip(clip);
    this.notice = notice;
    this.reload();
    this.seek(this.frame);
  }

  // strip: Strip or null; run: see Footage.
  setRun(strip, run) {
    this.player.stop();
    this.footage.takeRun(strip, run);
    this.failure = null;
    this.reload();
    this.seek(this.frame);
    // The host clears its temporary files when it starts.
    strip?.loadAll(() => this.refresh()).catch(() => this.lose(strip));
  }

  lose(strip) {
    if (strip !== this.footage.strip) return;
    this.setRun(null, null);
    this.notice = { key: "gone", values: {} };
    this.fail(say(this.texts, "gone"));
  }

  setStale(isStale) {
    if (this.footage.isStale === isStale) return;
    this.footage.isStale = isStale;
    this.refresh();
  }

  fail(message) {
    this.failure = message;
    this.refresh();
  }

  close() {
    this.player.stop();
    this.footage.close();
  }

  // --- what is shown ---

  // Draws all that depends on the state, once a frame of the screen however often it is asked for.
  refresh() {
    if (this.refreshing) return;
    this.refreshing = requestAnimationFrame(() => {
      this.refreshing = null;
      this.show();
    });
  }

  show() {
    const { footage, player, lensPicture } = this;
    const { script, chosen, fault } = this.editor;
    const { frame, picture } = player;
    const { count } = footage;
    this.timeline.setScript(script, count, chosen?.frame ?? null, this.model.features.strength);
    this.timeline.setCurve(this.curve());
    const spoken =
      count > 0 ? say(this.texts, "frameOf", { frame, last: count - 1 }) : say(this.texts, "frameAlone", { frame });
    this.timeline.setFrame(frame, spoken);
    this.transport.show({
      spoken,
      playing: player.isPlaying,
      lens: lensPicture.lensOn,
      lensThere: Boolean(footage.mapAt(frame)),
      wipe: this.stage.wipeAt !== null,
    });
    this.decisionRow.show({
      decision: chosen,
      count,
      isFirst: !chosen || chosen === script.focus[0],
      isOnly: script.focus.length === 1,
      towards: this.towards(),
      rate: footage.rate,
      possible: {
        point: true,
        lock: Boolean(footage.mapAt(frame)) || chosen?.kind === "lock",
        follow: true,
        mask: this.model.hasMask() || chosen?.kind === "mask",
      },
      defaults: { radius: footage.defaultRadius, transition: DEFAULT_TRANSITION },
    });
    this.strengthRow.show(
      strengthAt(script, frame),
      script.strength.some((key) => key.frame === frame),
    );
    this.element.toggleAttribute("data-unreadable", Boolean(fault));
    if (footage.pictures && picture) lensPicture.draw({ script, frame, picture });
    else {
      const notice = this.notice ?? { key: "loading", values: {} };
      this.stage.clear(say(this.texts, notice.key, notice.values));
    }
    this.sayWhatIsSeen();
  }

  // Frame of the decision that focus is on its way to, or null where it holds.
  towards() {
    const segment = this.editor.script.follows ? null : focusSegment(this.editor.script, this.frame);
    return segment && segment.from !== segment.to ? segment.to.frame : null;
  }

  curve() {
    const { script } = this.editor;
    const { maps } = this.footage;
    if (!maps || !script.focus.length) return [];
    return maps.shown.map((frame) => [frame, this.footage.focal(script, frame)?.value ?? null]);
  }

  sayWhatIsSeen() {
    const { texts, footage, hovered, failure } = this;
    const { script, fault } = this.editor;
    const { frame, picture } = this.player;
    const seen = { footage, script, fault, failure, frame, picture, hovered, hasLens: Boolean(lensOfPage()) };
    this.notes.textContent = this.notes.title = notes(texts, seen);
    const { text, isBad, canRestart } = statement(texts, seen);
    this.status.classList.toggle("atb-bad", isBad);
    if (this.status.dataset.said === text) return;
    this.status.dataset.said = text;
    this.status.textContent = text;
    if (!canRestart) return;
    const click = () => this.model.restart() || this.reload();
    this.status.append(element("button", { type: "button", text: texts.startAnew, on: { click } }));
  }

  // Height that shows the picture at the width there is.
  wantedHeight() {
    const { width, height } = this.stage.size;
    const rows = this.element.scrollHeight - this.stage.element.clientHeight;
    const picture = (this.element.clientWidth * height) / width;
    return Math.round(Math.min(1600, Math.max(180, picture)) + Math.min(MOST_ROWS_PX, Math.max(120, rows)));
  }
}
