// The line of frames: a playhead, a diamond for each focus decision, a dot for each K, and the way of focus.

import { draggable, element } from "./elements.js";
import { say } from "./texts.js";

const SVG = "http://www.w3.org/2000/svg";
const FOCUS_LANE_PX = 26;

export class Timeline {
  // on: { seek(frame), retime(lane, from, to) -> whether it moved, changed(), commit(), choose(lane, frame),
  // remove(lane, frame) }
  constructor(texts, on) {
    this.texts = texts;
    this.on = on;
    this.count = 0;
    this.curve = document.createElementNS(SVG, "path");
    for (const [name, value] of [
      ["fill", "none"],
      ["stroke", "currentColor"],
      ["stroke-opacity", "0.5"],
      ["vector-effect", "non-scaling-stroke"],
    ]) {
      this.curve.setAttribute(name, value);
    }
    const drawing = document.createElementNS(SVG, "svg");
    drawing.setAttribute("viewBox", "0 0 1000 46");
    drawing.setAttribute("preserveAspectRatio", "none");
    drawing.setAttribute("aria-hidden", "true");
    drawing.append(this.curve);
    this.playhead = element("div", { className: "atb-playhead" });
    this.keys = element("div");
    this.element = element(
      "div",
      {
        className: "atb-timeline",
        role: "slider",
        tabindex: 0,
        "aria-label": texts.timeline,
        "aria-valuemin": 0,
      },
      element("div", { className: "atb-lane atb-lane-focus" }),
      element("div", { className: "atb-lane atb-lane-strength" }),
      drawing,
      this.playhead,
      this.keys,
    );
    draggable(this.element, {
      start: (event) => {
        this.on.seek(this.frameOf(event));
      },
      move: (event) => this.on.seek(this.frameOf(event)),
    });
  }

  frameOf(event) {
    const box = this.element.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (event.clientX - box.left) / Math.max(1, box.width)));
    return Math.round(share * Math.max(0, this.count - 1));
  }

  shareOf(frame) {
    return this.count > 1 ? Math.min(1, frame / (this.count - 1)) : 0;
  }

  setFrame(frame, spoken) {
    this.playhead.style.left = `${this.shareOf(frame) * 100}%`;
    this.element.setAttribute("aria-valuenow", frame);
    this.element.setAttribute("aria-valuetext", spoken);
    this.element.setAttribute("aria-valuemax", Math.max(0, this.count - 1));
  }

  // script: what to show; chosen: frame of the decision in force, or null.
  setScript(script, count, chosen, hasStrength) {
    this.count = count;
    // While one is dragged or has the keyboard it must stay the same element.
    const wanted = [
      ...script.focus.map((key) => ({ lane: "focus", key })),
      ...(hasStrength ? script.strength.map((key) => ({ lane: "strength", key })) : []),
    ];
    const held = this.held;
    const focused = this.keys.contains(document.activeElement) ? document.activeElement : null;
    const old = [...this.keys.children];
    while (old.length > wanted.length) {
      const spare = old.findIndex((button) => button !== held && button !== focused);
      old.splice(spare === -1 ? 0 : spare, 1)[0].remove();
    }
    while (old.length < wanted.length) {
      old.push(this.makeKey());
      this.keys.append(old.at(-1));
    }
    // Those that are held keep their key; the others are interchangeable.
    for (const pinned of [held, focused]) {
      const place = pinned ? wanted.findIndex((w) => w.lane === pinned.lane && w.key.frame === pinned.frame) : -1;
      const index = old.indexOf(pinned);
      if (place !== -1 && index !== -1 && place !== index) [old[place], old[index]] = [old[index], old[place]];
    }
    wanted.forEach(({ lane, key }, index) => this.dress(old[index], lane, key, chosen));
  }

  dress(button, lane, key, chosen) {
    button.lane = lane;
    button.frame = key.frame;
    button.style.left = `${this.shareOf(key.frame) * 100}%`;
    const late = this.count > 0 && key.frame >= this.count;
    button.className = `atb-key atb-of-${lane}`;
    button.classList.toggle("atb-late", late);
    button.classList.toggle("atb-chosen", lane === "focus" && key.frame === chosen);
    const spoken =
      lane === "focus"
        ? say(this.texts, "focusAt", { frame: key.frame, kind: this.texts.kinds[key.kind] })
        : say(this.texts, "strengthAt", { frame: key.frame, k: key.k });
    button.title = spoken;
    button.setAttribute("aria-label", spoken);
  }

  makeKey() {
    const button = element("button", { type: "button" });
    let from = null;
    draggable(button, {
      start: () => {
        from = button.frame;
        this.held = button;
        button.focus({ preventScroll: true });
        this.on.choose(button.lane, button.frame);
      },
      move: (event) => this.retime(button, this.frameOf(event)),
      end: (event, cancelled) => {
        if (cancelled) this.retime(button, from);
        this.held = null;
        if (button.frame !== from) this.on.commit();
      },
    });
    button.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (step) {
        this.retime(button, Math.min(this.count - 1, Math.max(0, button.frame + step)));
        this.on.commit();
      } else if (event.key === "Delete" || event.key === "Backspace") this.on.remove(button.lane, button.frame);
      else if (event.key === "Enter" || event.key === " ") this.on.choose(button.lane, button.frame);
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    return button;
  }

  retime(button, to) {
    if (button.frame === to || !this.on.retime(button.lane, button.frame, to)) return;
    // Before it is drawn anew, so that it is still the button of this key.
    button.frame = to;
    this.on.changed();
  }

  // values: focal disparity of some frames, [[frame, value or null]]; near is up.
  setCurve(values) {
    let path = "";
    let broken = true;
    for (const [frame, value] of values) {
      if (value === null) {
        broken = true;
        continue;
      }
      const y = 2 + (1 - value) * (FOCUS_LANE_PX - 4);
      path += `${broken ? "M" : "L"}${(this.shareOf(frame) * 1000).toFixed(1)} ${y.toFixed(1)}`;
      broken = false;
    }
    this.curve.setAttribute("d", path);
  }
}
