// Where there is no lens: near blue, in focus as it is, far red, and lines where the blur is 1 px.

import { PLAIN_LENS, radiusPx } from "./falloff.js";

const NEAR = [41, 107, 255];
const FAR = [255, 56, 41];
const FULL_TINT_PX = 12;
const LINE_PX = 1;

// A canvas of the size of the map; picture: what can be drawn; k: as it is stated, see falloff.js.
export function overlay(picture, map, focus, k, lens = PLAIN_LENS) {
  const { width, height, values } = map;
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  context.drawImage(picture, 0, 0, width, height);
  const image = context.getImageData(0, 0, width, height);
  const radius = Float32Array.from({ length: 256 }, (_, value) => radiusPx(lens, value / 255, focus, k, width));
  for (let i = 0, row = 0; row < height; row++) {
    for (let column = 0; column < width; column++, i++) {
      const own = Math.abs(radius[values[i]]);
      const right = column + 1 < width ? Math.abs(radius[values[i + 1]]) : own;
      const below = row + 1 < height ? Math.abs(radius[values[i + width]]) : own;
      const inside = own < LINE_PX;
      if (inside !== right < LINE_PX || inside !== below < LINE_PX) {
        image.data.fill(255, 4 * i, 4 * i + 3);
        continue;
      }
      if (inside) continue;
      const tint = 0.65 * Math.min(1, (own - LINE_PX) / FULL_TINT_PX + 0.25);
      const colour = radius[values[i]] > 0 ? NEAR : FAR;
      for (let channel = 0; channel < 3; channel++) {
        image.data[4 * i + channel] += tint * (colour[channel] - image.data[4 * i + channel]);
      }
    }
  }
  context.putImageData(image, 0, 0);
  return canvas;
}
