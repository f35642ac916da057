// The picture with its focus point: drawn, clicked, dragged, wiped. It knows nothing of scripts.

import { draggable, element, pinchable } from "./elements.js";

export class Stage {
  // on: { pick(x, y, moving), pickEnd(cancelled), pinch() -> function of how far two fingers are apart, over how far
  // they were, hover([x, y]) or hover(null), wheel(steps) -> whether it was used, wiped(), shaped() }
  constructor(texts, on) {
    this.on = on;
    this.canvas = element("canvas", { role: "img", "aria-label": texts.picture });
    this.sampleBox = element("i");
    this.sampleText = element("b");
    this.sample = element("div", { className: "atb-sample" }, this.sampleBox, this.sampleText);
    this.wipe = element("button", {
      className: "atb-wipe",
      type: "button",
      role: "slider",
      title: texts.wipeHint,
      "aria-label": texts.wipeHint,
      "aria-valuemin": 0,
      "aria-valuemax": 100,
      on: { keydown: (event) => this.moveWipeByKey(event) },
    });
    this.frame = element("div", { className: "atb-frame" }, this.canvas, this.sample, this.wipe);
    this.message = element("div", { className: "atb-message" });
    this.element = element("div", { className: "atb-stage" }, this.frame, this.message);
    this.size = { width: 16, height: 9 };
    this.wipeAt = null;
    this.drawn = null;
    new ResizeObserver(() => this.fit()).observe(this.element);
    this.listen();
    this.setWipe(null);
    this.setSample(null);
    this.clear("");
  }

  listen() {
    const picking = draggable(this.frame, {
      start: (event) => {
        this.element.closest(".atb-viewfinder")?.focus({ preventScroll: true });
        return this.on.pick(...this.placeOf(event), false);
      },
      move: (event) => this.on.pick(...this.placeOf(event), true),
      end: (event, cancelled) => this.on.pickEnd(cancelled),
    });
    let resize = null;
    pinchable(this.frame, {
      // What the first finger has picked was no click.
      start: () => {
        picking.cancel();
        resize = this.on.pinch();
      },
      move: (ratio) => resize(ratio),
      end: (cancelled) => this.on.pickEnd(cancelled),
    });
    this.frame.addEventListener("pointermove", (event) => this.on.hover(this.placeOf(event)));
    this.frame.addEventListener("pointerleave", () => this.on.hover(null));
    this.frame.addEventListener(
      "wheel",
      (event) => {
        if (!this.on.wheel(-Math.sign(event.deltaY))) return;
        event.preventDefault();
        event.stopPropagation();
      },
      { passive: false },
    );
    draggable(this.wipe, {
      start: () => true,
      move: (event) => this.setWipe(this.placeOf(event)[0]),
    });
  }

  placeOf(event) {
    const box = this.frame.getBoundingClientRect();
    const part = (value, low, length) => Math.min(1, Math.max(0, (value - low) / length));
    return [part(event.clientX, box.left, box.width), part(event.clientY, box.top, box.height)];
  }

  clear(message) {
    this.frame.hidden = true;
    this.message.hidden = false;
    this.message.textContent = message;
    this.drawn = null;
  }

  // sharp, blurred: what can be drawn; blurred may be null.
  draw(sharp, blurred, width, height) {
    this.frame.hidden = false;
    this.message.hidden = true;
    if (this.size.width !== width || this.size.height !== height) {
      this.size = { width, height };
      Object.assign(this.canvas, { width, height });
      this.fit();
      this.on.shaped();
    }
    this.drawn = { sharp, blurred };
    const context = this.canvas.getContext("2d");
    context.drawImage(blurred ?? sharp, 0, 0, width, height);
    if (blurred && this.wipeAt !== null) {
      context.save();
      context.beginPath();
      context.rect(0, 0, this.wipeAt * width, height);
      context.clip();
      context.drawImage(sharp, 0, 0, width, height);
      context.restore();
    }
  }

  // The largest box of the picture's shape that the stage holds.
  fit() {
    const { clientWidth, clientHeight } = this.element;
    const { width, height } = this.size;
    const scale = Math.min(clientWidth / width, clientHeight / height);
    Object.assign(this.frame.style, {
      width: `${width * scale}px`,
      height: `${height * scale}px`,
      left: `${(clientWidth - width * scale) / 2}px`,
      top: `${(clientHeight - height * scale) / 2}px`,
    });
  }

  // place: { x, y, radius as a share of the width, text, held } or null.
  setSample(place) {
    this.sample.hidden = !place;
    if (!place) return;
    this.sample.style.left = `${place.x * 100}%`;
    this.sample.style.top = `${place.y * 100}%`;
    this.sample.classList.toggle("atb-held", place.held);
    this.sample.classList.toggle("atb-low", place.y > 0.85);
    const side = Math.min(1, 2 * place.radius) * this.frame.clientWidth;
    Object.assign(this.sampleBox.style, { width: `${side}px`, height: `${side}px` });
    this.sampleText.textContent = place.text;
    this.sampleText.hidden = !place.text;
  }

  // Where sharp ends and blurred begins, as a share of the width; null shows one picture.
  setWipe(at) {
    this.wipeAt = at;
    this.wipe.hidden = at === null;
    if (at !== null) {
      this.wipe.style.left = `${at * 100}%`;
      this.wipe.setAttribute("aria-valuenow", Math.round(at * 100));
    }
    this.on.wiped();
  }

  moveWipeByKey(event) {
    const step = { ArrowLeft: -0.02, ArrowRight: 0.02 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    this.setWipe(Math.min(1, Math.max(0, this.wipeAt + step)));
  }
}
