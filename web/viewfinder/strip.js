// What a run leaves for the viewfinder: some frames of the clip as small pictures, and their disparity.

export class Strip {
  // report: what the node sent, see bokeh_core/preview/strip.py; urlOf: a file of the host -> its address.
  constructor(report, urlOf) {
    this.count = report.frames;
    this.width = report.width;
    this.height = report.height;
    this.rate = 24;
    this.shown = report.shown;
    this.pictures = report.pictures.map((file) => new Lazy(() => loadImage(urlOf(file))));
    this.maps = report.disparity.map((file) => new Lazy(() => loadMap(urlOf(file), report.width)));
  }

  get hasPictures() {
    return this.pictures.length > 0;
  }

  nearest(frame) {
    return this.shown[this.indexOf(frame)];
  }

  indexOf(frame) {
    let best = 0;
    this.shown.forEach((shown, index) => {
      if (Math.abs(shown - frame) < Math.abs(this.shown[best] - frame)) best = index;
    });
    return best;
  }

  async at(frame) {
    const index = this.indexOf(frame);
    const image = await this.pictures[index].load();
    return { image, key: image.src };
  }

  // The disparity of the nearest frame that is shown, once it is here; else null.
  mapAt(frame) {
    return this.maps[this.indexOf(frame)].value;
  }

  loadMap(frame) {
    return this.maps[this.indexOf(frame)].load();
  }

  // Everything, a few at a time; onLoaded is told now and then.
  async loadAll(onLoaded) {
    for (let index = 0; index < this.shown.length && !this.closed; index++) {
      await Promise.all([this.maps[index].load(), this.pictures[index]?.load()]);
      if (index % 8 === 7 || index === this.shown.length - 1) onLoaded();
    }
  }

  close() {
    this.closed = true;
  }
}

class Lazy {
  constructor(make) {
    this.make = make;
    this.value = null;
  }

  load() {
    this.promise ??= this.make().then((value) => (this.value = value));
    return this.promise;
  }
}

async function loadImage(url) {
  const image = new Image();
  image.crossOrigin = "anonymous";
  image.src = url;
  await image.decode();
  return image;
}

async function loadMap(url, clipWidth) {
  const image = await loadImage(url);
  const [width, height] = [image.naturalWidth, image.naturalHeight];
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  const pixels = context.getImageData(0, 0, width, height).data;
  const values = new Uint8Array(width * height);
  let [low, high] = [255, 0];
  for (let i = 0; i < values.length; i++) {
    const value = pixels[4 * i];
    values[i] = value;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return { width, height, values, scale: width / clipWidth, low: low / 255, high: high / 255 };
}
