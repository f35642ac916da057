// The decisions as people change them: picked in the picture, dragged, typed, and written once a gesture ends.

import {
  DEFAULT_TRANSITION,
  MOST_RADIUS_PX,
  decisionAt,
  decisionFor,
  emptyScript,
  retimed,
  strengthAt,
  withDecision,
  withStrength,
  withoutDecision,
  withoutStrength,
} from "./script.js";

const WHEEL_STEP = 1.15;
// One step of undo for one turn of the wheel.
const WHEEL_PAUSE_MS = 300;
const PLACES = ["point", "follow"];

export class Editor {
  script = emptyScript();
  // What keeps the text from being read: { key, values }, or null.
  fault = null;

  // model: see Viewfinder; footage: Footage; player: Player; on: { changed() }
  constructor(model, footage, player, on) {
    Object.assign(this, { model, footage, player, on });
  }

  // The decision in force at the frame that is shown.
  get chosen() {
    return decisionFor(this.script, this.player.frame);
  }

  get hasPlace() {
    return PLACES.includes(this.chosen?.kind);
  }

  // The script as it stands in the widgets.
  reload() {
    const { script, fault } = this.model.read(this.footage.size);
    this.script = script;
    this.fault = fault;
    this.on.changed();
  }

  pick(x, y) {
    const { frame, picture } = this.player;
    if (this.fault || !picture) return false;
    const before = this.chosen;
    const old = decisionAt(this.script, frame);
    // A click says: this place. What was locked or masked from here on gives way; how focus gets here stays.
    const kind = old?.kind === "follow" || (!old && before?.kind === "follow") ? "follow" : "point";
    const { disparity, ...kept } = old ?? {};
    this.change(
      withDecision(this.script, {
        radius: before?.radius ?? this.footage.defaultRadius,
        transition: DEFAULT_TRANSITION,
        ease: "smooth",
        ...kept,
        frame,
        kind,
        x: rounded(x),
        y: rounded(y),
      }),
    );
    return true;
  }

  // Returns the radius of the sample in px, or null where there is none to change.
  get radius() {
    if (this.fault || !this.hasPlace || !this.player.picture) return null;
    return this.chosen.radius ?? this.footage.defaultRadius;
  }

  setRadius(px) {
    if (this.radius === null) return;
    const radius = Math.min(MOST_RADIUS_PX, Math.max(0, Math.round(px)));
    this.change(withDecision(this.script, { ...this.chosen, radius }));
  }

  // By a turn of the wheel; false where there is nothing to widen.
  widen(steps) {
    const { radius } = this;
    if (radius === null) return false;
    this.setRadius(steps > 0 ? Math.max(radius + 1, radius * WHEEL_STEP) : Math.min(radius - 1, radius / WHEEL_STEP));
    clearTimeout(this.wheelEnd);
    this.wheelEnd = setTimeout(() => this.commit(), WHEEL_PAUSE_MS);
    return true;
  }

  changeDecision(part) {
    if (this.chosen) this.edit(withDecision(this.script, { ...this.chosen, ...part }));
  }

  setKind(kind) {
    if (!this.chosen) return;
    const { disparity, ...rest } = this.chosen;
    // Of a lock it is the depth that is in focus now.
    const now = () => this.footage.focal(this.script, this.player.frame)?.value;
    const locked = kind === "lock" ? { disparity: rounded(now() ?? disparity ?? 0.5) } : {};
    this.edit(withDecision(this.script, { ...rest, kind, ...locked }));
  }

  removeDecision() {
    if (this.chosen) this.edit(withoutDecision(this.script, this.chosen.frame));
  }

  removeKey(lane, frame) {
    this.edit(lane === "focus" ? withoutDecision(this.script, frame) : withoutStrength(this.script, frame));
  }

  // Whether it moved.
  retime(lane, from, to) {
    const script = retimed(this.script, lane, from, to);
    const moved = script !== this.script;
    this.script = script;
    return moved;
  }

  // Without a key, or with one, K is that of the whole clip; with more, that of this frame.
  setStrength(k, done) {
    const keys = this.script.strength;
    const frame = keys.length === 0 ? 0 : keys.length === 1 ? keys[0].frame : this.player.frame;
    this.change(withStrength(this.script, frame, k));
    if (done) this.commit();
  }

  toggleStrengthKey() {
    const { frame } = this.player;
    if (this.script.strength.some((key) => key.frame === frame)) return this.removeKey("strength", frame);
    let { script } = this;
    // The first key at a later frame would be that of the whole clip: what is there from the start stays.
    if (!script.strength.length && frame > 0) script = withStrength(script, 0, strengthAt(script, 0));
    return this.edit(withStrength(script, frame, strengthAt(this.script, frame)));
  }

  // Shown, but not yet written.
  change(script) {
    this.script = { ...script, frames: this.footage.count || script.frames };
    this.on.changed();
  }

  edit(script) {
    this.script = script;
    this.commit();
  }

  commit() {
    clearTimeout(this.wheelEnd);
    if (!this.fault) this.model.write(this.script, this.footage.size);
    this.on.changed();
  }
}

function rounded(share) {
  return Math.round(share * 10000) / 10000;
}
