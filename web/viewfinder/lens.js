// The lens at once: one WebGL 2 context for all viewfinders of the page, as browsers give out only a few.

import { PLAIN_LENS, inFramePx } from "./falloff.js";
import { BLUR, LENS_UNIFORMS, NEAREST_OF_TILES, TILE_PX, TO_LIGHT, WHOLE_TARGET } from "./lens_shader.js";
import { openingOf } from "./opening.js";

// Samples of a pixel's blur. Without a graphics card fewer, and fewest while something is dragged.
export const SAMPLES = { best: 192, slow: 64, hasty: 16 };
const NO_GRAPHICS_CARD = /swiftshader|llvmpipe|softpipe|software|basic render/i;

let shared;

// The lens of this page, or null where the browser has none to offer.
export function lensOfPage() {
  if (shared === undefined) shared = Lens.create();
  return shared?.isLost() ? null : shared;
}

class Lens {
  static create() {
    const canvas = document.createElement("canvas");
    const gl = canvas.getContext("webgl2", { alpha: false, antialias: false, preserveDrawingBuffer: true });
    if (!gl || !gl.getExtension("EXT_color_buffer_float")) return null;
    try {
      return new Lens(canvas, gl);
    } catch (error) {
      console.warn("Any-to-Bokeh: the lens preview cannot be drawn here.", error);
      return null;
    }
  }

  constructor(canvas, gl) {
    this.canvas = canvas;
    this.gl = gl;
    this.passes = {
      toLight: pass(gl, TO_LIGHT, ["picture", "disparity", "gamma"]),
      nearest: pass(gl, NEAREST_OF_TILES, ["scene"]),
      blur: pass(gl, BLUR, ["scene", "nearest", "focus", "strength", "mostSamples", ...LENS_UNIFORMS]),
    };
    this.picture = texture(gl);
    this.disparity = texture(gl);
    this.scene = target(gl);
    this.nearest = target(gl);
    this.shown = {};
    const facts = gl.getExtension("WEBGL_debug_renderer_info");
    this.isSlow = NO_GRAPHICS_CARD.test(facts ? gl.getParameter(facts.UNMASKED_RENDERER_WEBGL) : "");
    // A context that comes back is built anew by the next that asks.
    canvas.addEventListener("webglcontextlost", () => {
      shared = undefined;
    });
  }

  isLost() {
    return this.gl.isContextLost();
  }

  // picture: what can be drawn, with a key that tells it from others; map: { width, height, values };
  // strengthPx: K in px of the map's width; setting: a lens, see PLAIN_LENS. Returns a canvas that is good until the
  // next call.
  render(picture, pictureKey, map, focus, strengthPx, mostSamples = SAMPLES.best, setting = PLAIN_LENS) {
    const { gl, canvas } = this;
    const { width, height } = map;
    const { shown } = this;
    if (shown.picture !== pictureKey || shown.map !== map || shown.gamma !== setting.gamma) {
      this.load(picture, map, setting.gamma);
      this.shown = { picture: pictureKey, map, gamma: setting.gamma };
    }
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    this.draw(this.passes.blur, null, width, height, () => {
      bind(gl, 0, this.scene.texture, this.passes.blur.places.scene);
      bind(gl, 1, this.nearest.texture, this.passes.blur.places.nearest);
      gl.uniform1f(this.passes.blur.places.focus, focus);
      gl.uniform1f(this.passes.blur.places.strength, strengthPx);
      gl.uniform1i(this.passes.blur.places.mostSamples, mostSamples);
      this.setLens(this.passes.blur.places, setting, width);
    });
    return canvas;
  }

  setLens(places, setting, width) {
    const { gl } = this;
    const opening = openingOf(setting);
    // Finite, as shaders have no infinity of their own.
    const largest = Math.min(1e6, inFramePx(setting.largest_radius ?? Infinity, width));
    const values = {
      gamma: setting.gamma,
      range: setting.focus_range,
      nearStrength: setting.near_strength,
      farStrength: setting.far_strength,
      largest,
      blades: setting.blades,
      rotation: (setting.rotation * Math.PI) / 180,
      roundness: setting.roundness,
      ring: setting.ring,
      openShare: opening.share,
      ringShare: opening.meanSquare,
    };
    for (const [name, value] of Object.entries(values)) gl.uniform1f(places[name], value);
    const tall = Math.sqrt(setting.anamorphic);
    gl.uniform2f(places.stretch, 1 / tall, tall);
  }

  load(picture, map, gamma) {
    const { gl } = this;
    const { width, height } = map;
    const small = document.createElement("canvas");
    Object.assign(small, { width, height });
    small.getContext("2d").drawImage(picture, 0, 0, width, height);
    gl.bindTexture(gl.TEXTURE_2D, this.picture);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, gl.RGBA, gl.UNSIGNED_BYTE, small);
    gl.bindTexture(gl.TEXTURE_2D, this.disparity);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.R8, width, height, 0, gl.RED, gl.UNSIGNED_BYTE, map.values);
    resize(gl, this.scene, width, height, gl.RGBA16F, gl.RGBA, gl.HALF_FLOAT);
    this.draw(this.passes.toLight, this.scene, width, height, () => {
      bind(gl, 0, this.picture, this.passes.toLight.places.picture);
      bind(gl, 1, this.disparity, this.passes.toLight.places.disparity);
      gl.uniform1f(this.passes.toLight.places.gamma, gamma);
    });
    const tiles = [Math.ceil(width / TILE_PX), Math.ceil(height / TILE_PX)];
    resize(gl, this.nearest, ...tiles, gl.R16F, gl.RED, gl.HALF_FLOAT);
    this.draw(this.passes.nearest, this.nearest, ...tiles, () => {
      bind(gl, 0, this.scene.texture, this.passes.nearest.places.scene);
    });
  }

  draw({ program }, drawnInto, width, height, setUniforms) {
    const { gl } = this;
    gl.bindFramebuffer(gl.FRAMEBUFFER, drawnInto?.framebuffer ?? null);
    gl.viewport(0, 0, width, height);
    gl.useProgram(program);
    setUniforms();
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }
}

function pass(gl, fragment, uniforms) {
  const program = gl.createProgram();
  for (const [kind, source] of [
    [gl.VERTEX_SHADER, WHOLE_TARGET],
    [gl.FRAGMENT_SHADER, fragment],
  ]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) {
    const logs = gl.getAttachedShaders(program).map((shader) => gl.getShaderInfoLog(shader));
    throw new Error([gl.getProgramInfoLog(program), ...logs].join("\n"));
  }
  const places = Object.fromEntries(uniforms.map((name) => [name, gl.getUniformLocation(program, name)]));
  return { program, places };
}

function texture(gl) {
  const made = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, made);
  for (const side of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, side, gl.CLAMP_TO_EDGE);
  for (const size of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, size, gl.NEAREST);
  return made;
}

function target(gl) {
  return { texture: texture(gl), framebuffer: gl.createFramebuffer() };
}

function resize(gl, made, width, height, inside, format, type) {
  gl.bindTexture(gl.TEXTURE_2D, made.texture);
  gl.texImage2D(gl.TEXTURE_2D, 0, inside, width, height, 0, format, type, null);
  gl.bindFramebuffer(gl.FRAMEBUFFER, made.framebuffer);
  gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, made.texture, 0);
}

function bind(gl, unit, made, place) {
  gl.activeTexture(gl.TEXTURE0 + unit);
  gl.bindTexture(gl.TEXTURE_2D, made);
  gl.uniform1i(place, unit);
}
