// The lens in GLSL: the radius of Eq. 1, r = K |d - f|, and a gather in linear light that keeps what is near in
// front of what is far. Each pass draws one triangle over its target.

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
out vec4 lightAndDisparity;
void main() {
  ivec2 at = ivec2(gl_FragCoord.xy);
  vec3 display = texelFetch(picture, at, 0).rgb;
  lightAndDisparity = vec4(pow(display, vec3(2.2)), texelFetch(disparity, at, 0).r);
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

// Blurs one picture: what lies in front of the pixel's own surface, that surface, and what is behind it.
export const BLUR = `${HEAD}
uniform sampler2D scene;
uniform sampler2D nearest;
uniform float focus;
uniform float strength;
uniform int mostSamples;
out vec4 display;

const float GOLDEN_ANGLE = 2.399963;
const float PI = 3.141593;
// Radii that differ by this many px belong to surfaces of their own.
const float APART_FROM = 0.5, APART_TO = 1.5;

ivec2 size;
ivec2 here;

float radiusOf(float disparity) {
  return strength * (disparity - focus);
}

// Share of a point's light that its disk of some radius throws on a pixel at some distance.
float lightOn(float distance, float radius) {
  float wide = max(radius, 0.57);
  return clamp(wide - distance + 0.5, 0.0, 1.0) / (PI * wide * wide);
}

// Farthest that something in front of the focus may reach from around this pixel.
float reachOfNear() {
  float most = radiusOf(1.0);
  if (most < 0.5) return 0.0;
  ivec2 tile = here / ${TILE_PX};
  ivec2 last = textureSize(nearest, 0) - 1;
  int around = int(ceil(most / ${TILE_PX}.0));
  float reach = 0.0;
  for (int y = max(tile.y - around, 0); y <= min(tile.y + around, last.y); y++) {
    for (int x = max(tile.x - around, 0); x <= min(tile.x + around, last.x); x++) {
      float radius = radiusOf(texelFetch(nearest, ivec2(x, y), 0).r);
      vec2 low = vec2(ivec2(x, y) * ${TILE_PX});
      vec2 gap = max(max(low - vec2(here), vec2(here) - low - ${TILE_PX - 1}.0), 0.0);
      if (length(gap) <= radius + 0.5) reach = max(reach, radius);
    }
  }
  return reach;
}

int samplesWithin(float radius) {
  return clamp(int(ceil(1.5 * PI * radius * radius)), 12, mostSamples);
}

void main() {
  size = textureSize(scene, 0);
  // Pictures are stored from their top row on; targets are drawn from the bottom.
  here = ivec2(gl_FragCoord.x, float(size.y) - gl_FragCoord.y);
  vec4 own = texelFetch(scene, here, 0);
  float ownRadius = radiusOf(own.a);
  float ownReach = abs(ownRadius);

  vec3 surface = own.rgb;
  if (ownReach > 0.5) {
    vec3 same = vec3(0.0), behind = vec3(0.0);
    float sameWeight = 0.0, behindWeight = 0.0, sameCover = 0.0;
    int count = samplesWithin(ownReach + 0.5);
    int inside = 0;
    for (int i = 0; i < count; i++) {
      float distance = (ownReach + 0.5) * sqrt((float(i) + 0.5) / float(count));
      float angle = float(i) * GOLDEN_ANGLE;
      ivec2 at = here + ivec2(round(distance * vec2(cos(angle), sin(angle))));
      if (at.x < 0 || at.y < 0 || at.x >= size.x || at.y >= size.y) continue;
      inside++;
      vec4 sampled = texelFetch(scene, at, 0);
      float radius = radiusOf(sampled.a);
      float isBehind = smoothstep(APART_FROM, APART_TO, ownRadius - radius);
      float isInFront = smoothstep(APART_FROM, APART_TO, radius - ownRadius);
      float light = lightOn(distance, min(abs(radius), ownReach));
      float weight = light * (1.0 - isBehind) * (1.0 - isInFront);
      same += weight * sampled.rgb;
      sameWeight += weight;
      sameCover += lightOn(distance, ownReach) * (1.0 - isBehind) * (1.0 - isInFront);
      // What is hidden is continued from the nearest of what is seen of it.
      float shown = isBehind / (1.0 + distance * distance);
      behind += shown * sampled.rgb;
      behindWeight += shown;
    }
    float area = PI * (ownReach + 0.5) * (ownReach + 0.5) / float(max(inside, 1));
    if (sameWeight > 0.0) surface = same / sameWeight;
    if (behindWeight > 0.0) {
      float cover = clamp(sameCover * area, 0.0, 1.0);
      surface = mix(behind / behindWeight, surface, cover);
    }
  }

  // Behind the focus what is in front of the pixel blurs less than the pixel itself.
  float reach = max(reachOfNear(), max(0.0, -ownRadius));
  if (reach > 0.5) {
    vec3 front = vec3(0.0);
    float frontWeight = 0.0;
    int count = samplesWithin(reach + 0.5);
    int inside = 0;
    for (int i = 0; i < count; i++) {
      float distance = (reach + 0.5) * sqrt((float(i) + 0.5) / float(count));
      float angle = float(i) * GOLDEN_ANGLE;
      ivec2 at = here + ivec2(round(distance * vec2(cos(angle), sin(angle))));
      if (at.x < 0 || at.y < 0 || at.x >= size.x || at.y >= size.y) continue;
      inside++;
      vec4 sampled = texelFetch(scene, at, 0);
      float radius = radiusOf(sampled.a);
      float isInFront = smoothstep(APART_FROM, APART_TO, radius - ownRadius);
      float weight = isInFront * lightOn(distance, abs(radius));
      front += weight * sampled.rgb;
      frontWeight += weight;
    }
    if (frontWeight > 0.0) {
      float area = PI * (reach + 0.5) * (reach + 0.5) / float(max(inside, 1));
      surface = mix(surface, front / frontWeight, min(frontWeight * area, 1.0));
    }
  }
  display = vec4(pow(surface, vec3(1.0 / 2.2)), 1.0);
}`;
