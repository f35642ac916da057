// The frame as the stage shows it: through the lens where its depth is known, with the sample that is measured.

import { inFramePx } from "./falloff.js";
import { placeAt } from "./focus_values.js";
import { SAMPLES, lensOfPage } from "./lens.js";
import { overlay } from "./overlay.js";
import { strengthAt } from "./script.js";

const SETTLED_MS = 250;

export class LensPicture {
  lensOn = true;
  isMoving = false;

  // stage: Stage; footage: Footage; on: { rested() }, told when it is time to draw well what was drawn hastily.
  constructor(stage, footage, on) {
    Object.assign(this, { stage, footage, on });
  }

  // shown: { script, frame, picture, defaultRadius }
  draw(shown) {
    const { image, key } = shown.picture;
    const map = this.footage.mapAt(shown.frame);
    const focal = map && this.lensOn ? this.footage.focal(shown.script, shown.frame) : null;
    const width = map?.width ?? image.naturalWidth ?? image.width;
    const height = map?.height ?? image.naturalHeight ?? image.height;
    const k = strengthAt(shown.script, shown.frame);
    this.stage.draw(image, focal && this.blurred(image, key, map, focal.value, k), width, height);
    this.showSample(shown);
  }

  blurred(image, key, map, focus, k) {
    const lens = lensOfPage();
    if (!lens) return overlay(image, map, focus, k, this.footage.lens);
    return lens.render(image, key, map, focus, inFramePx(k, map.width), this.samples(lens), this.footage.lens);
  }

  samples(lens) {
    if (!lens.isSlow) return SAMPLES.best;
    if (!this.isMoving) return SAMPLES.slow;
    clearTimeout(this.stillness);
    this.stillness = setTimeout(() => {
      this.isMoving = false;
      this.on.rested();
    }, SETTLED_MS);
    return SAMPLES.hasty;
  }

  showSample({ script, frame }) {
    const { footage, stage } = this;
    const decision = footage.tracked(script, frame) ?? placeAt(script, frame);
    if (!decision || !["point", "follow"].includes(decision.kind)) return stage.setSample(null);
    const focal = footage.mapAt(frame) && footage.focal(script, frame);
    return stage.setSample({
      x: decision.x ?? 0.5,
      y: decision.y ?? 0.5,
      radius: (decision.radius ?? footage.defaultRadius) / Math.max(1, footage.size?.width ?? 1),
      held: decision.frame !== frame,
      text: focal ? focal.value.toFixed(2) : "",
    });
  }
}
