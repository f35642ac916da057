// How large the blur is: the radius of Eq. 1, r = K |d - f|, as a lens bends it.

// K is stated for a frame this wide.
const REFERENCE_WIDTH_PX = 1024;

// What a lens says of its opening and of its falloff; largest_radius is in px on a frame 1024 px wide, null = no limit.
// unseen: names of what it says besides.
export const PLAIN_LENS = {
  blades: 0,
  rotation: 0,
  roundness: 0,
  anamorphic: 1,
  ring: 0,
  gamma: 2.2,
  focus_range: 0,
  near_strength: 1,
  far_strength: 1,
  largest_radius: null,
  unseen: [],
};

// px of a frame that wide.
export function inFramePx(px, width) {
  return (px * width) / REFERENCE_WIDTH_PX;
}

// Signed, positive in front of the focus, in px of a frame that wide; k: K as it is stated.
export function radiusPx(lens, disparity, focus, k, width) {
  const away = disparity - focus;
  const beyond = Math.max(0, Math.abs(away) - lens.focus_range / 2);
  const bent = beyond * inFramePx(k, width) * (away > 0 ? lens.near_strength : lens.far_strength);
  return Math.sign(away) * Math.min(bent, inFramePx(lens.largest_radius ?? Infinity, width));
}
