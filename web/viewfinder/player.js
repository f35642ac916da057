// Which frame is shown: fetched, stepped through and played, one picture at a time.

export class Player {
  frame = 0;
  // { image, key } of the frame, or null while there is none.
  picture = null;
  isPlaying = false;

  // footage: Footage; on: { changed(), failed(error, ofStrip) }
  constructor(footage, on) {
    this.footage = footage;
    this.on = on;
  }

  async seek(frame) {
    const { footage } = this;
    const { pictures } = footage;
    if (!pictures) {
      this.picture = null;
      this.on.changed();
      return;
    }
    // A strip of a long clip has some of its frames; what is clicked on must be what is shown.
    this.frame = pictures.nearest(Math.min(Math.max(0, frame), Math.max(0, footage.count - 1)));
    this.on.changed();
    const wanted = this.frame;
    try {
      const [picture] = await Promise.all([pictures.at(wanted), footage.maps?.loadMap(wanted)]);
      if (!picture || wanted !== this.frame || pictures !== footage.pictures) return;
      this.picture = picture;
      this.on.changed();
    } catch (error) {
      this.on.failed(error, pictures === footage.strip || Boolean(footage.maps));
    }
  }

  step(by) {
    this.stop();
    const { strip, pictures } = this.footage;
    if (pictures === strip && strip) {
      const index = strip.indexOf(this.frame) + by;
      return this.seek(strip.shown[Math.min(strip.shown.length - 1, Math.max(0, index))]);
    }
    return this.seek(this.frame + by);
  }

  toggle() {
    if (this.isPlaying) return this.stop();
    if (this.footage.count < 2 || !this.footage.pictures) return undefined;
    this.isPlaying = true;
    return this.playOn();
  }

  async playOn() {
    const { footage } = this;
    const { rate } = footage;
    let begun = performance.now();
    let from = this.frame >= footage.count - 1 ? 0 : this.frame;
    while (this.isPlaying && footage.pictures) {
      const due = from + Math.floor(((performance.now() - begun) * rate) / 1000);
      if (due >= footage.count) {
        begun = performance.now();
        from = 0;
        continue;
      }
      // One picture at a time: a slow machine leaves frames out and keeps the pace.
      await this.seek(due);
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
  }

  stop() {
    if (!this.isPlaying) return;
    this.isPlaying = false;
    this.on.changed();
  }
}
