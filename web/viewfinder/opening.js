// The lens opening in numbers: a circle, or a polygon with its corners on that circle.

const STEPS = 720;

// share: area over that of the circle; meanSquare: mean of the squared distance from the middle, of radius 1.
export function openingOf({ blades, roundness }) {
  let [area, square] = [0, 0];
  for (let step = 0; step < STEPS; step++) {
    const outline = outlineTo(((step + 0.5) / STEPS) * 2 * Math.PI, blades, roundness);
    area += outline ** 2 / STEPS;
    square += outline ** 4 / (2 * STEPS);
  }
  return { share: area, meanSquare: square / area };
}

function outlineTo(angle, blades, roundness) {
  if (blades < 3) return 1;
  const sector = (2 * Math.PI) / blades;
  const polygon = Math.cos(sector / 2) / Math.cos((angle % sector) - sector / 2);
  return polygon + roundness * (1 - polygon);
}
