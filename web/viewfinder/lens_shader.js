// The lens in GLSL: the radius of Eq. 1, r = K |d - f|, as a lens bends it, and a gather in linear light that keeps
// what is near in front of what is far. Each pass draws one triangle over its target.

const HEAD = `#version 300 es
precision highp float;
precision highp int;
precision highp sampler2D;
`;

export const WHOLE_TARGET = `${HEAD}
void main() {
  vec2 corner = vec2((gl_VertexID << 1) & 2, gl_VertexID & 2);
  gl_Position = vec4(corner * 2.0 - 1.0, 0.0, 1.0);
}`;

// Display values to light, with the disparity beside them.
export const TO_LIGHT = `${HEAD}
uniform sampler2D picture;
uniform sampler2D disparity;
uniform float gamma;
out vec4 lightAndDisparity;
void main() {
  ivec2 at = ivec2(gl_FragCoord.xy);
  vec3 display = texelFetch(picture, at, 0).rgb;
  lightAndDisparity = vec4(pow(display, vec3(gamma)), texelFetch(disparity, at, 0).r);
}`;

// Nearest disparity of each tile of 16 x 16 px.
export const TILE_PX = 16;
export const NEAREST_OF_TILES = `${HEAD}
uniform sampler2D scene;
out vec4 nearest;
void main() {
  ivec2 size = textureSize(scene, 0);
  ivec2 corner = ivec2(gl_FragCoord.xy) * ${TILE_PX};
  float most = 0.0;
  for (int y = 0; y < ${TILE_PX}; y++) {
    for (int x = 0; x < ${TILE_PX}; x++) {
      most = max(most, texelFetch(scene, min(corner + ivec2(x, y), size - 1), 0).a);
    }
  }
  nearest = vec4(most);
}`;

// What BLUR is told of the lens. stretch: widths and heights of the spread over those of a circle; openShare: area of
// the opening over that of its circle; ringShare: mean of x^2 + y^2 over it.
export const LENS_UNIFORMS = [
  "gamma",
  "range",
  "nearStrength",
  "farStrength",
  "largest",
  "blades",
  "rotation",
  "roundness",
  "stretch",
  "ring",
  "openShare",
  "ringShare",
];

// Blurs one picture: what lies in front of the pixel's own surface, that surface, and what is behind it.
export const BLUR = `${HEAD}
uniform sampler2D scene;
uniform sampler2D nearest;
uniform float focus, strength;
uniform int mostSamples;
uniform float gamma, range, nearStrength, farStrength, largest;
uniform float blades, rotation, roundness, ring, openShare, ringShare;
uniform vec2 stretch;
out vec4 display;

const float GOLDEN_ANGLE = 2.399963;
const float PI = 3.141593;
// Radii that differ by this many px belong to surfaces of their own.
const float APART_FROM = 0.5, APART_TO = 1.5;

ivec2 size;
ivec2 here;

float radiusOf(float disparity) {
  float away = disparity - focus;
  float bent = strength * max(abs(away) - 0.5 * range, 0.0) * (away > 0.0 ? nearStrength : farStrength);
  return sign(away) * min(bent, largest);
}

// How far the opening reaches towards a place, over the radius of its circle: a polygon with one corner up.
float outlineTo(vec2 upright) {
  if (blades < 3.0) return 1.0;
  float sector = 2.0 * PI / blades;
  float fromEdgeMiddle = mod(atan(upright.y, upright.x) - rotation - 0.5 * PI, sector) - 0.5 * sector;
  float polygon = cos(0.5 * sector) / cos(fromEdgeMiddle);
  return mix(polygon, 1.0, roundness);
}

// Share of a point's light that its spread throws on this pixel. offset: from here to the point, in px and undone by
// the stretch; radius: how large; side: positive in front of the focus, where the opening stands upright.
float lightOn(vec2 offset, float radius, float side) {
  float wide = max(radius, 0.57);
  float flip = side > 0.0 ? 1.0 : -1.0;
  float distance = length(offset);
  // Rows grow downwards.
  float outline = outlineTo(flip * vec2(-offset.x, offset.y));
  float inside = clamp(wide * outline - distance + 0.5, 0.0, 1.0);
  float bright = -flip * ring;
  float at = distance / wide;
  float weight = (1.0 - bright + 2.0 * bright * at * at) / (1.0 - bright + 2.0 * bright * ringShare);
  return max(weight, 0.0) * inside / (PI * wide * wide * openShare);
}

// Farthest that something in front of the focus may reach from around this pixel.
float reachOfNear() {
  float most = radiusOf(1.0);
  if (most < 0.5) return 0.0;
  ivec2 tile = here / ${TILE_PX};
  ivec2 last = textureSize(nearest, 0) - 1;
  int around = int(ceil(most * max(stretch.x, stretch.y) / ${TILE_PX}.0));
  float reach = 0.0;
  for (int y = max(tile.y - around, 0); y <= min(tile.y + around, last.y); y++) {
    for (int x = max(tile.x - around, 0); x <= min(tile.x + around, last.x); x++) {
      float radius = radiusOf(texelFetch(nearest, ivec2(x, y), 0).r);
      vec2 low = vec2(ivec2(x, y) * ${TILE_PX});
      vec2 gap = max(max(low - vec2(here), vec2(here) - low - ${TILE_PX - 1}.0), 0.0);
      if (length(gap / stretch) <= radius + 0.5) reach = max(reach, radius);
    }
  }
  return reach;
}

// Samples of a disk of some radius around this pixel, evenly by area.
struct Samples {
  float reach;
  int count;
  int inside;
};

struct Sample {
  vec3 light;
  vec2 offset;
  float radius;
};

Samples samplesWithin(float reach) {
  float wide = reach + 0.5;
  return Samples(wide, clamp(int(ceil(1.5 * PI * wide * wide)), 12, mostSamples), 0);
}

// The sample of some number; false outside of the picture.
bool sampled(inout Samples samples, int i, out Sample found) {
  float distance = samples.reach * sqrt((float(i) + 0.5) / float(samples.count));
  float angle = float(i) * GOLDEN_ANGLE;
  vec2 offset = round(stretch * distance * vec2(cos(angle), sin(angle)));
  ivec2 at = here + ivec2(offset);
  if (at.x < 0 || at.y < 0 || at.x >= size.x || at.y >= size.y) return false;
  samples.inside++;
  vec4 there = texelFetch(scene, at, 0);
  found = Sample(there.rgb, offset / stretch, radiusOf(there.a));
  return true;
}

// What one sample stands for, in px of area.
float areaOf(Samples samples) {
  return PI * samples.reach * samples.reach / float(max(samples.inside, 1));
}

// How much a sample belongs to something in front of a surface with some radius, 0 to 1.
float inFrontOf(float ownRadius, Sample s) {
  return smoothstep(APART_FROM, APART_TO, s.radius - ownRadius);
}

// The pixel's own surface, blurred, over what is behind it.
vec3 surfaceAt(vec3 own, float ownRadius) {
  float ownReach = abs(ownRadius);
  if (ownReach <= 0.5) return own;
  vec3 same = vec3(0.0), behind = vec3(0.0);
  float sameWeight = 0.0, behindWeight = 0.0, sameCover = 0.0;
  Samples samples = samplesWithin(ownReach);
  Sample s;
  for (int i = 0; i < samples.count; i++) {
    if (!sampled(samples, i, s)) continue;
    float isBehind = smoothstep(APART_FROM, APART_TO, ownRadius - s.radius);
    float isSame = (1.0 - isBehind) * (1.0 - inFrontOf(ownRadius, s));
    float weight = isSame * lightOn(s.offset, min(abs(s.radius), ownReach), ownRadius);
    same += weight * s.light;
    sameWeight += weight;
    sameCover += isSame * lightOn(s.offset, ownReach, ownRadius);
    // What is hidden is continued from the nearest of what is seen of it.
    float shown = isBehind / (1.0 + dot(s.offset, s.offset));
    behind += shown * s.light;
    behindWeight += shown;
  }
  vec3 surface = sameWeight > 0.0 ? same / sameWeight : own;
  if (behindWeight == 0.0) return surface;
  return mix(behind / behindWeight, surface, clamp(sameCover * areaOf(samples), 0.0, 1.0));
}

void main() {
  size = textureSize(scene, 0);
  // Pictures are stored from their top row on; targets are drawn from the bottom.
  here = ivec2(gl_FragCoord.x, float(size.y) - gl_FragCoord.y);
  vec4 own = texelFetch(scene, here, 0);
  float ownRadius = radiusOf(own.a);
  vec3 surface = surfaceAt(own.rgb, ownRadius);

  // Behind the focus what is in front of the pixel blurs less than the pixel itself.
  float reach = max(reachOfNear(), max(0.0, -ownRadius));
  if (reach > 0.5) {
    vec3 front = vec3(0.0);
    float frontWeight = 0.0;
    Samples samples = samplesWithin(reach);
    Sample s;
    for (int i = 0; i < samples.count; i++) {
      if (!sampled(samples, i, s)) continue;
      float weight = inFrontOf(ownRadius, s) * lightOn(s.offset, abs(s.radius), s.radius);
      front += weight * s.light;
      frontWeight += weight;
    }
    if (frontWeight > 0.0) {
      surface = mix(surface, front / frontWeight, min(frontWeight * areaOf(samples), 1.0));
    }
  }
  display = vec4(pow(surface, vec3(1.0 / gamma)), 1.0);
}`;
