// A clip that the browser plays: pictures by frame number, before anything has run.

import { frameTimes } from "./mp4_times.js";

// Rates that cameras and editors use; what is measured is off by the player's rounding.
const USUAL_RATES = [12, 15, 24000 / 1001, 24, 25, 30000 / 1001, 30, 48, 50, 60000 / 1001, 60, 120];
const MOST_WIDTH_PX = 960;
const FRAMES_TO_MEASURE = 8;

export class VideoClip {
  // Resolves once the first frame can be shown.
  // Raises Error where the browser cannot play it.
  static async open(url) {
    const video = document.createElement("video");
    Object.assign(video, { muted: true, playsInline: true, preload: "auto", crossOrigin: "anonymous", src: url });
    const [index] = await Promise.all([frameTimes(url), ready(video)]);
    if (!video.videoWidth) throw new Error("no picture");
    const times = index?.times ?? (await measuredTimes(video));
    return new VideoClip(video, times, index?.end ?? video.duration);
  }

  constructor(video, times, end) {
    this.video = video;
    this.times = times;
    this.end = end;
    this.count = times.length;
    this.rate = this.count > 1 ? (this.count - 1) / (times.at(-1) - times[0]) : 24;
    this.width = video.videoWidth;
    this.height = video.videoHeight;
    const scale = Math.min(1, MOST_WIDTH_PX / this.width);
    this.canvas = document.createElement("canvas");
    this.canvas.width = Math.max(1, Math.round(this.width * scale));
    this.canvas.height = Math.max(1, Math.round(this.height * scale));
    this.asked = 0;
    this.working = Promise.resolve();
  }

  // most: number of frames to use, 0 = all; half: of width and height.
  limit({ most, half }) {
    if (most) this.count = Math.min(this.count, most);
    if (half) [this.width, this.height] = [Math.floor(this.width / 2), Math.floor(this.height / 2)];
  }

  nearest(frame) {
    return Math.min(this.count - 1, Math.max(0, frame));
  }

  // The picture of a frame; null where another one has been asked for in the meantime.
  at(frame) {
    const ticket = ++this.asked;
    const done = this.working.then(async () => {
      if (ticket !== this.asked) return null;
      await this.seek(frame);
      this.canvas.getContext("2d").drawImage(this.video, 0, 0, this.canvas.width, this.canvas.height);
      return { image: this.canvas, key: `${this.video.src}#${frame}` };
    });
    this.working = done.catch(() => null);
    return done;
  }

  async seek(frame) {
    const start = this.times[frame];
    const stop = this.times[frame + 1] ?? Math.max(this.end, start);
    // The middle of a frame's time, as both of its ends are rounded.
    const time = Math.min((start + stop) / 2, this.video.duration || Infinity);
    if (Math.abs(this.video.currentTime - time) < 1e-4 && this.video.readyState >= 2) return;
    const seeked = once(this.video, "seeked");
    this.video.currentTime = time;
    await seeked;
  }

  close() {
    this.video.removeAttribute("src");
    this.video.load();
  }
}

// One picture for a clip of one frame.
export class StillClip {
  static async open(url) {
    const image = new Image();
    image.crossOrigin = "anonymous";
    image.src = url;
    await image.decode();
    return new StillClip(image);
  }

  constructor(image) {
    this.image = image;
    this.count = 1;
    this.rate = 24;
    this.width = image.naturalWidth;
    this.height = image.naturalHeight;
  }

  nearest() {
    return 0;
  }

  async at() {
    return { image: this.image, key: this.image.src };
  }

  close() {}
}

function ready(video) {
  return new Promise((resolve, reject) => {
    video.addEventListener("loadeddata", resolve, { once: true });
    video.addEventListener("error", () => reject(new Error(video.error?.message || "cannot be played")), { once: true });
  });
}

function once(target, name) {
  return new Promise((resolve) => target.addEventListener(name, resolve, { once: true }));
}

// Plays the first frames to learn the rate of a file whose index is not read.
async function measuredTimes(video) {
  const seen = [];
  if (video.requestVideoFrameCallback) {
    await new Promise((resolve) => {
      const next = (now, { mediaTime }) => {
        seen.push(mediaTime);
        if (seen.length > FRAMES_TO_MEASURE || video.ended) resolve();
        else video.requestVideoFrameCallback(next);
      };
      video.requestVideoFrameCallback(next);
      video.addEventListener("ended", resolve, { once: true });
      video.play().catch(resolve);
    });
    video.pause();
  }
  const steps = seen.slice(1).map((time, i) => time - seen[i]).filter((step) => step > 1e-3).sort((a, b) => a - b);
  // The shortest step: longer ones are frames that were left out.
  const measured = steps.length ? 1 / steps[0] : 24;
  const rate = USUAL_RATES.find((usual) => Math.abs(usual / measured - 1) < 0.02) ?? measured;
  const count = Math.max(1, Math.round((Number.isFinite(video.duration) ? video.duration : 0) * rate));
  return Array.from({ length: count }, (_, frame) => frame / rate);
}
