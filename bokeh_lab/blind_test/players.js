// Several videos played as one: they start, stop, jump and loop together.
"use strict";

// Up to the first nobody sees a difference; beyond the second, only a jump brings them together.
const SAME_TIME_S = 0.02;
const LOST_S = 0.25;
const MOST_RATE_CHANGE = 0.05;

class Players {
  // onChange is called whenever `playing` or `looping` may have changed.
  constructor(videos, onChange) {
    this.all = videos;
    this.shown = [];
    this.playing = false;
    this.looping = true;
    this.onChange = onChange;
    this.turn = 0; // what was begun in an earlier turn has no say any more
    for (const video of videos) {
      video.addEventListener("timeupdate", () => this.keepTogether());
      video.addEventListener("ended", () => this.oneEnded());
    }
  }

  // Load one source per video (null: not shown) and play once all can. Returns false if something else
  // was loaded meanwhile; rejects with the source that fails.
  async load(sources) {
    const turn = ++this.turn;
    this.playing = false;
    this.onChange();
    this.all.forEach((video) => video.pause());
    this.shown = this.all.filter((_, i) => sources[i]);
    await Promise.all(this.all.map((video, i) => loaded(video, sources[i])));
    if (turn !== this.turn) return false;
    this.play();
    return true;
  }

  unload() {
    this.turn++;
    this.playing = false;
    this.shown = [];
    this.all.forEach((video) => video.removeAttribute("src"));
    this.all.forEach((video) => video.load());
  }

  play() {
    this.playing = true;
    if (this.shown.every((video) => video.ended)) {
      this.restart();
      return;
    }
    const started = this.shown.filter((video) => !video.ended).map((video) => video.play());
    // A pause or a jump meanwhile rejects too, and is no refusal.
    Promise.all(started).catch((error) => error.name === "NotAllowedError" && this.pause());
    this.onChange();
  }

  pause() {
    this.playing = false;
    this.shown.forEach((video) => video.pause());
    this.onChange();
  }

  togglePlaying() {
    if (this.playing) this.pause();
    else this.play();
  }

  toggleLooping() {
    this.looping = !this.looping;
    this.onChange();
  }

  restart() {
    this.playing = true;
    return this.jump(0);
  }

  // All stop, go to one time, and go on together once each is there.
  async jump(time) {
    const turn = ++this.turn;
    this.shown.forEach((video) => video.pause());
    await Promise.all(this.shown.map((video) => sought(video, time)));
    if (turn === this.turn && this.playing) this.play();
  }

  oneEnded() {
    if (!this.shown.every((video) => video.ended)) return;
    if (this.looping && this.playing) this.restart();
    else this.pause();
  }

  // Drift is taken from all videos alike: correcting only one would make that one look worse.
  keepTogether() {
    const running = this.shown.filter((video) => !video.ended && !video.paused && !video.seeking);
    if (running.length < 2) return;
    const times = running.map((video) => video.currentTime);
    const first = Math.min(...times);
    const spread = Math.max(...times) - first;
    if (spread > LOST_S) {
      this.jump(first);
      return;
    }
    const middle = times.reduce((sum, time) => sum + time) / times.length;
    running.forEach((video, i) => {
      const change = spread > SAME_TIME_S ? middle - times[i] : 0;
      video.playbackRate = 1 + Math.max(-MOST_RATE_CHANGE, Math.min(MOST_RATE_CHANGE, change));
    });
  }
}

function loaded(video, source) {
  return new Promise((resolve, reject) => {
    video.oncanplaythrough = resolve;
    video.onerror = () => reject(new Error(source));
    video.playbackRate = 1;
    if (source) {
      video.src = source;
    } else {
      video.removeAttribute("src");
      resolve();
    }
    video.load();
  });
}

function sought(video, time) {
  return new Promise((resolve) => {
    video.addEventListener("seeked", resolve, { once: true });
    video.currentTime = time;
  });
}
