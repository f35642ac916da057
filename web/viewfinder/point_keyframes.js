// Focus at Point's own widgets as a script of points: x, y and radius in px, and lines "frame: x, y".
// The widgets stay the truth; a text that cannot be read here is left as it is.

import { originOf } from "./clip_source.js";
import { DEFAULT_RADIUS_PX, emptyScript } from "./script.js";

const CENTRE = -1;
const LINE = /^\s*(\d+)\s*:\s*(-?\d+(?:\.\d+)?)\s*,\s*(-?\d+(?:\.\d+)?)\s*$/;
const WIDGETS = ["x", "y", "radius", "keyframes", "between_keyframes", "easing"];

// { points: [{ frame, x, y }], fault } of a text; points in px.
export function readKeyframes(text) {
  const points = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const match = LINE.exec(line);
    const twice = match && points.some((point) => point.frame === Number(match[1]));
    if (!match || twice) return { points: [], fault: { key: "badLine", values: { line: index + 1 } } };
    points.push({ frame: Number(match[1]), x: Number(match[2]), y: Number(match[3]) });
  }
  return { points: points.sort((a, b) => a.frame - b.frame), fault: null };
}

export function writeKeyframes(points) {
  return points.map(({ frame, x, y }) => `${frame}: ${x}, ${y}`).join("\n");
}

export class PointKeyframes {
  features = { kinds: false, transitions: false, strength: false };

  constructor(node) {
    this.node = node;
  }

  hasMask() {
    return false;
  }

  widget(name) {
    return this.node.widgets?.find((widget) => widget.name === name);
  }

  number(name, otherwise) {
    const value = Number(this.widget(name)?.value ?? otherwise);
    return Number.isFinite(value) ? value : otherwise;
  }

  // What the widgets hold, to see that somebody has typed.
  state() {
    return JSON.stringify(WIDGETS.map((name) => this.widget(name)?.value));
  }

  // All that changes what is shown.
  seen() {
    return this.state() + JSON.stringify(this.strengthBehind());
  }

  read(size) {
    const script = emptyScript();
    const { points, fault } = readKeyframes(String(this.widget("keyframes")?.value ?? ""));
    if (fault || !size) return { script, fault };
    const radius = this.number("radius", DEFAULT_RADIUS_PX);
    const placed = points.length ? points : [this.singlePoint(size)];
    if (placed.some(({ x, y }) => !(x >= 0 && y >= 0 && x <= size.width - 1 && y <= size.height - 1))) {
      return { script, fault: { key: "outside", values: {} } };
    }
    const racks = this.widget("between_keyframes")?.value === "rack focus";
    script.follows = !racks;
    script.strength = this.strengthBehind();
    script.focus = placed.map(({ frame, x, y }, index) => ({
      frame,
      // The middle of a pixel, so that it is read as the same one again.
      x: (x + 0.5) / size.width,
      y: (y + 0.5) / size.height,
      kind: "point",
      radius,
      // The node moves all the way from one keyframe to the next.
      transition: racks && index ? frame - placed[index - 1].frame : 0,
      ease: { linear: "linear", hold: "cut" }[this.widget("easing")?.value] ?? "smooth",
    }));
    return { script, fault: null };
  }

  // K of the Blur Strength that blurs with this focus, where it is one number.
  strengthBehind() {
    const { graph, outputs } = this.node;
    for (const id of outputs?.[0]?.links ?? []) {
      const link = graph.getLink?.(id) ?? graph.links?.[id];
      const renderer = link && graph.getNodeById(link.target_id);
      const source = renderer && originOf(renderer, "blur_strength")?.node;
      const value = (name) => source?.widgets?.find((widget) => widget.name === name)?.value;
      const k = Number(value("strength"));
      if (value("mode") === "constant" && k >= 0) return [{ frame: 0, k }];
    }
    return [];
  }

  singlePoint({ width, height }) {
    const [x, y] = [this.number("x", CENTRE), this.number("y", CENTRE)];
    return {
      frame: 0,
      x: x === CENTRE ? Math.floor(width / 2) : x,
      y: y === CENTRE ? Math.floor(height / 2) : y,
    };
  }

  write(script, size) {
    if (!size) return;
    const points = script.focus.map((decision) => ({
      frame: decision.frame,
      x: Math.min(size.width - 1, Math.floor(decision.x * size.width)),
      y: Math.min(size.height - 1, Math.floor(decision.y * size.height)),
    }));
    const radius = script.focus.map((decision) => decision.radius).find((value) => value !== this.number("radius", 0));
    if (radius !== undefined) this.set("radius", radius);
    const untouched = this.number("x", CENTRE) === CENTRE && this.number("y", CENTRE) === CENTRE;
    const hasText = String(this.widget("keyframes")?.value ?? "").trim() !== "";
    if (!hasText && points.length === 2 && untouched) {
      // Nobody has chosen the centre: the first click is the one point of the clip.
      const [clicked] = points.filter(({ frame }) => frame !== 0);
      points.splice(0, 2, { ...(clicked ?? points[0]), frame: 0 });
    }
    if (points.length === 1 && !(hasText && points[0].frame > 0)) {
      this.set("keyframes", "");
      this.set("x", points[0].x);
      this.set("y", points[0].y);
    } else if (points.length) {
      this.set("keyframes", writeKeyframes(points));
    } else {
      for (const [name, value] of [["keyframes", ""], ["x", CENTRE], ["y", CENTRE]]) this.set(name, value);
    }
    this.onWritten?.();
  }

  restart() {
    this.set("keyframes", "");
    this.set("x", CENTRE);
    this.set("y", CENTRE);
    this.onWritten?.();
  }

  set(name, value) {
    const widget = this.widget(name);
    if (!widget || widget.value === value) return;
    widget.value = value;
    widget.callback?.(value);
  }
}
