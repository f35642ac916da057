// The rows of controls below a picture: transport, the decision in force, and K.

import { element } from "./elements.js";
import { EASES, MOST_RADIUS_PX, MOST_STRENGTH } from "./script.js";
import { say } from "./texts.js";

const SLIDER_STRENGTH = 64;

function button(text, hint, click) {
  return element("button", { type: "button", text, title: hint, "aria-label": hint, on: { click } });
}

function choice(label, names, hints, change) {
  const options = Object.entries(names).map(([value, text]) =>
    element("option", { value, text, title: hints?.[value] }),
  );
  const made = element("select", { "aria-label": label, title: label }, ...options);
  made.addEventListener("change", () => change(made.value));
  return made;
}

function number(label, hint, limits, change) {
  const made = element("input", { type: "number", "aria-label": hint, title: hint, ...limits });
  made.addEventListener("change", () => {
    const value = made.valueAsNumber;
    if (Number.isFinite(value)) change(Math.min(Number(limits.max), Math.max(Number(limits.min), value)));
  });
  return { label: element("label", { text: `${label} ` }, made), input: made };
}

// A value that somebody is typing is not written over.
function show(input, value) {
  if (document.activeElement !== input) input.value = value;
}

export class Transport {
  // on: { play(), step(by), lens(), wipe() }
  constructor(texts, on) {
    this.texts = texts;
    this.playButton = button("▶", texts.play, on.play);
    this.number = element("span", { className: "atb-frame-number" });
    this.lens = button(texts.lens, texts.lensHint, on.lens);
    this.wipe = button(texts.wipe, texts.wipeHint, on.wipe);
    this.element = element(
      "div",
      { className: "atb-row" },
      button("◀|", texts.previous, () => on.step(-1)),
      this.playButton,
      button("|▶", texts.next, () => on.step(1)),
      this.number,
      this.wipe,
      this.lens,
    );
  }

  show({ spoken, playing, lens, lensThere, wipe }) {
    this.number.textContent = spoken;
    this.playButton.textContent = playing ? "❚❚" : "▶";
    this.playButton.title = playing ? this.texts.pause : this.texts.play;
    this.playButton.setAttribute("aria-label", this.playButton.title);
    this.lens.setAttribute("aria-pressed", lens);
    this.lens.disabled = !lensThere;
    this.wipe.setAttribute("aria-pressed", wipe);
    this.wipe.disabled = !lensThere || !lens;
  }
}

export class DecisionRow {
  // features: { kinds, transitions }; on: { change(part), kind(kind), remove() }
  constructor(texts, features, on) {
    this.texts = texts;
    this.name = element("span", { className: "atb-frame-number" });
    this.kind = choice(texts.kind, texts.kinds, texts.kindHints, on.kind);
    const limits = { min: 0, max: MOST_RADIUS_PX, step: 1 };
    this.radius = number(texts.radius, texts.radiusHint, limits, (radius) =>
      on.change({ radius: Math.round(radius) }),
    );
    this.ease = choice(texts.ease, texts.eases, null, (ease) => on.change({ ease }));
    this.transition = number(texts.transition, texts.transitionHint, { min: 0, max: 100000, step: 1 }, (value) =>
      on.change({ transition: Math.round(this.inSeconds() ? value * this.rate : value) }),
    );
    this.unit = choice(texts.transitionHint, { frames: texts.frames, seconds: texts.seconds }, null, () =>
      this.show(this.shown),
    );
    this.remove = button("✕", texts.remove, on.remove);
    this.element = element("div", { className: "atb-row" }, this.name);
    if (features.kinds) this.element.append(this.kind);
    this.element.append(this.radius.label);
    if (features.transitions) {
      this.wayName = element("span", { className: "atb-way" });
      this.wayControls = element("span", { className: "atb-row" }, this.ease, this.transition.label, this.unit);
      this.way = element("div", { className: "atb-row atb-steady" }, this.wayName, this.wayControls);
    }
    this.element.append(this.remove);
  }

  inSeconds() {
    return this.unit.value === "seconds";
  }

  // decision: the one in force, or null; isFirst: nothing to come from; isOnly: none to go to; towards: frame of
  // the one that focus is on its way to, or null; possible: kinds that work here.
  show(shown) {
    this.shown = shown;
    const { decision, isFirst, possible, rate, defaults } = shown;
    this.rate = rate;
    this.name.textContent = decision
      ? say(this.texts, "decision", { frame: decision.frame })
      : this.texts.noDecision;
    for (const control of [this.kind, this.radius.input, this.remove]) control.disabled = !decision;
    if (this.way) {
      const hint = decision && shown.isOnly && shown.count > 1 ? this.texts.rackHint : "";
      const racking = shown.towards === null ? hint : say(this.texts, "towards", { frame: shown.towards });
      this.wayName.textContent = decision && !isFirst ? this.texts.arrives : racking;
      this.wayControls.style.display = decision && !isFirst ? "" : "none";
    }
    if (!decision) return;
    this.kind.value = decision.kind;
    for (const option of this.kind.options) option.disabled = !possible[option.value];
    this.radius.label.style.display = ["point", "follow"].includes(decision.kind) ? "" : "none";
    show(this.radius.input, decision.radius ?? defaults.radius);
    this.ease.value = decision.ease ?? EASES[0];
    const frames = decision.transition ?? defaults.transition;
    show(this.transition.input, this.inSeconds() ? Math.round((frames / rate) * 100) / 100 : frames);
    const cut = this.ease.value === "cut";
    for (const control of [this.transition.input, this.unit]) control.disabled = cut;
  }
}

export class StrengthRow {
  // on: { change(k, done), key() }
  constructor(texts, on) {
    this.texts = texts;
    this.slider = element("input", {
      type: "range",
      min: 0,
      max: SLIDER_STRENGTH,
      step: 0.5,
      "aria-label": texts.strengthHint,
      title: texts.strengthHint,
    });
    this.slider.addEventListener("input", () => on.change(this.slider.valueAsNumber, false));
    this.slider.addEventListener("change", () => on.change(this.slider.valueAsNumber, true));
    const limits = { min: 0, max: MOST_STRENGTH, step: 0.5 };
    this.number = number(texts.strength, texts.strengthHint, limits, (k) => on.change(k, true));
    this.key = button(`● ${texts.keyStrength}`, texts.keyStrengthHint, on.key);
    this.element = element(
      "div",
      { className: "atb-row" },
      this.number.label,
      element("span", { className: "atb-grow" }, this.slider),
      this.key,
    );
  }

  show(k, isKey) {
    const rounded = Math.round(k * 10) / 10;
    this.slider.max = Math.max(SLIDER_STRENGTH, rounded);
    this.slider.value = rounded;
    show(this.number.input, rounded);
    const hint = isKey ? this.texts.unkeyStrengthHint : this.texts.keyStrengthHint;
    this.key.setAttribute("aria-pressed", isKey);
    this.key.setAttribute("aria-label", hint);
    this.key.title = hint;
  }
}

