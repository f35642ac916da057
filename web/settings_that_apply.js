// Hides settings that have no effect beside the others of their node. They keep value and place: what is queued
// and what is saved do not change.
import { app } from "/scripts/app.js";
import { whenDrawn } from "./drawn_by_vue.js";

const LENS = [
  "blades",
  "rotation",
  "roundness",
  "anamorphic",
  "cat_eye",
  "light",
  "highlight_gain",
  "highlight_threshold",
  "near_strength",
  "far_strength",
  "contour_tolerance",
  "over_time",
];
// What a preset of Choose Lens decides on.
const CHARACTER = [
  "blades",
  "rotation",
  "roundness",
  "anamorphic",
  "cat_eye",
  "swirl",
  "ring",
  "fringe",
  "highlight_gain",
  "highlight_threshold",
  "grain",
];
const MEANING = ["source", "polarity", "normalisation", "exponent", "holes"];
const PLACING = ["fit", "frame_offset", "frames_per_map"];

// Settings, and when they do nothing. `is(name, ...values)` is false where a link brings the value, as nobody knows
// it yet; so is it where the node has no such widget.
const IDLE = [
  { settings: ["crf"], when: ({ lacks }) => lacks("codec", /^h264/) },
  { settings: ["roundness"], when: ({ is }) => is("blades", 0) },
  // A picture in the opening is turned, whatever the blades.
  { settings: ["rotation"], when: ({ is, linked }) => is("blades", 0) && !linked("aperture_image") },
  {
    settings: ["highlight_threshold"],
    when: ({ is, lacks }) => is("highlight_gain", 0) && lacks("over_time", /highlight_gain/i),
  },
  { settings: LENS, when: ({ linked }) => linked("lens") },
  { settings: ["easing"], when: ({ empty, linked }) => empty("over_time") || linked("lens") },
  { settings: CHARACTER, when: ({ lacks }) => lacks("preset", /^custom$/) },
  { settings: ["end_strength"], when: ({ is }) => is("mode", "constant", "schedule") },
  { settings: ["schedule"], when: ({ is }) => is("mode", "constant", "ramp") },
  { settings: ["strength"], when: ({ is, linked }) => is("mode", "schedule") || linked("blur_strength") },
  { settings: ["easing"], when: ({ is, empty }) => is("mode", "constant") || empty("keyframes") },
  { settings: ["between_keyframes"], when: ({ empty }) => empty("keyframes") },
  { settings: ["focal_disparity", "x", "y"], when: ({ filled }) => filled("keyframes") },
  { settings: ["sensor_width"], when: ({ lacks }) => lacks("sensor", /^custom$/) },
  { settings: ["focal_length"], when: ({ linked }) => linked("intrinsics") },
  { settings: ["focus_distance"], when: ({ linked }) => linked("focus") },
  { settings: ["focus_at"], when: ({ linked }) => linked("focus") },
  { settings: ["path"], when: ({ chosen }) => chosen("file") || chosen("folder") },
  {
    settings: ["disparity_path"],
    when: ({ chosen, linked }) => chosen("disparity_file") || linked("disparity") || linked("depth_video"),
  },
  { settings: ["disparity_file"], when: ({ linked }) => linked("disparity") || linked("depth_video") },
];
// Only the video node has both a socket for disparity and settings that say what maps mean.
const IDLE_OF_VIDEO = [
  { settings: ["hidden_background"], when: ({ is }) => is("renderer", "model") },
  { settings: ["refine_parts"], when: ({ is }) => is("refine", false) },
  { settings: [...MEANING, ...PLACING], when: ({ linked }) => linked("disparity") },
  { settings: ["between_keyframes"], when: ({ linked, lacks }) => linked("focus") || lacks("focus_at", POINTS) },
];
// Keyframes of points, as in "point: 0: 512,288; 24: 700,300"; the keyboards of Chinese write another colon.
const POINTS = /^point.*[:\uff1a].*[:\uff1a]/is;

const GOVERNED = new Set([...IDLE, ...IDLE_OF_VIDEO].flatMap((rule) => rule.settings));

function stateOf(node) {
  const socket = (name) => node.inputs?.find((input) => input.name === name);
  const linked = (name) => socket(name)?.link != null;
  const value = (name) =>
    linked(name) ? undefined : node.widgets.find((widget) => widget.name === name)?.value;
  const text = (name) => (typeof value(name) === "string" ? value(name).trim() : undefined);
  return {
    linked,
    is: (name, ...values) => values.includes(value(name)),
    lacks: (name, pattern) => text(name) !== undefined && !pattern.test(text(name)),
    empty: (name) => text(name) === "",
    filled: (name) => Boolean(text(name)) || linked(name),
    chosen: (name) => text(name) !== undefined && text(name) !== "none",
  };
}

// The buttons that upload depth belong to the list above them.
function settingOf(widget) {
  return widget.type === "button" ? "disparity_file" : widget.name;
}

// Canvas nodes up to 1.3x keep the row of a widget that is hidden. One without height takes no place in them: the
// front end adds 4 px between rows.
const NO_ROW = () => [0, -4];
const ownHeights = new WeakMap();

function hide(widget, hidden, node) {
  widget.hidden = hidden;
  // Later ones lay out only what is shown.
  if (node.getLayoutWidgets) return;
  if (hidden) {
    ownHeights.set(widget, widget.computeSize);
    widget.computeSize = NO_ROW;
  } else if (widget.computeSize === NO_ROW) {
    widget.computeSize = ownHeights.get(widget);
  }
}

// What others hide stays hidden.
function isGoverned(widget) {
  return GOVERNED.has(settingOf(widget));
}

function idleSettings(node) {
  const state = stateOf(node);
  const rules = node.comfyClass === "AnyToBokehVideo" ? [...IDLE, ...IDLE_OF_VIDEO] : IDLE;
  const idle = new Set(rules.filter((rule) => rule.when(state)).flatMap((rule) => rule.settings));
  // A setting that a link brings is seen by its link.
  return new Set([...idle].filter((name) => !state.linked(name)));
}

function update(node) {
  if (!node.widgets) return;
  // Nothing moves under the cursor of who types keyframes.
  const typing = document.activeElement;
  if (typing?.tagName === "TEXTAREA") {
    typing.addEventListener("blur", () => update(node), { once: true });
    return;
  }
  const idle = idleSettings(node);
  const isIdle = (widget) => idle.has(settingOf(widget));
  const changed = node.widgets.filter(
    (widget) => isGoverned(widget) && Boolean(widget.hidden) !== isIdle(widget),
  );
  if (!changed.length) return;
  // A node that was made larger keeps its size.
  const fitted = node.size[1] <= node.computeSize()[1];
  for (const widget of changed) {
    hide(widget, isIdle(widget), node);
  }
  const drawn = document.querySelector(`.lg-node[data-node-id="${node.id}"]`);
  if (drawn) hideRows(drawn, node);
  else if (fitted) node.setSize([node.size[0], node.computeSize()[1]]);
  node.setDirtyCanvas?.(true, true);
}

// Vue nodes up to 1.3x do not look at what is hidden later; they have a row for each widget, in order.
function hideRows(drawn, node) {
  const widgets = (node.widgets ?? []).filter((widget) => widget.type && !widget.options?.canvasOnly);
  const rows = drawn.querySelectorAll(".lg-node-widget");
  if (rows.length !== widgets.length) return;
  widgets.forEach((widget, number) => {
    if (isGoverned(widget)) rows[number].style.display = widget.hidden ? "none" : "";
  });
}

function after(object, name, then) {
  const original = object[name];
  object[name] = function (...values) {
    const result = original?.apply(this, values);
    then();
    return result;
  };
}

app.registerExtension({
  name: "anytobokeh.SettingsThatApply",
  setup() {
    whenDrawn(hideRows);
  },
  nodeCreated(node) {
    if (!node.comfyClass?.startsWith("AnyToBokeh") || !node.widgets?.length) return;
    const again = () => update(node);
    after(node, "onConfigure", again);
    after(node, "onConnectionsChange", again);
    for (const widget of node.widgets) after(widget, "callback", again);
    const whole = node.computeSize()[1];
    again();
    // As low as what is shown; boxes and pictures keep their room, and a saved size comes afterwards.
    const shown = node.computeSize()[1];
    if (shown < whole) node.setSize([node.size[0], Math.max(shown, node.size[1] - whole + shown)]);
  },
});
