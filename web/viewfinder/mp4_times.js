// When each frame of an MP4 or MOV is shown: the browser's player does not tell how many frames there are.

const LARGEST_INDEX_BYTES = 64 * 2 ** 20;

// { times: [seconds, in order], end: seconds }, or null where the file has another form or cannot be had.
export async function frameTimes(url) {
  try {
    const index = await findBox(url, "moov");
    return index && timesOfVideo(index);
  } catch {
    // Whatever is wrong with the file, the player has the last word on it.
    return null;
  }
}

async function findBox(url, wanted) {
  for (let start = 0; ; ) {
    const head = await bytes(url, start, 16);
    if (!head || head.byteLength < 8) return null;
    let [size, header] = [head.getUint32(0), 8];
    if (size === 1 && head.byteLength >= 16) [size, header] = [Number(head.getBigUint64(8)), 16];
    if (size < header) return null;
    if (name(head, 4) === wanted) {
      return size > LARGEST_INDEX_BYTES ? null : bytes(url, start + header, size - header);
    }
    // The first box says whether this is such a file at all.
    if (start === 0 && !["ftyp", "wide", "mdat", "free"].includes(name(head, 4))) return null;
    start += size;
  }
}

async function bytes(url, start, length) {
  const answer = await fetch(url, { headers: { Range: `bytes=${start}-${start + length - 1}` } });
  if (answer.status !== 206) {
    await answer.body?.cancel();
    return null;
  }
  return new DataView(await answer.arrayBuffer());
}

function name(view, at) {
  return String.fromCharCode(...[0, 1, 2, 3].map((i) => view.getUint8(at + i)));
}

function* boxes(view) {
  for (let at = 0; at + 8 <= view.byteLength; ) {
    let [size, header] = [view.getUint32(at), 8];
    if (size === 1) [size, header] = [Number(view.getBigUint64(at + 8)), 16];
    if (size < header || at + size > view.byteLength) return;
    yield [name(view, at + 4), new DataView(view.buffer, view.byteOffset + at + header, size - header)];
    at += size;
  }
}

function child(view, ...path) {
  let found = view;
  for (const wanted of path) {
    found = found && [...boxes(found)].find(([kind]) => kind === wanted)?.[1];
  }
  return found;
}

function timesOfVideo(index) {
  const movieRate = rateOf(child(index, "mvhd"));
  for (const [kind, track] of boxes(index)) {
    const handler = kind === "trak" && child(track, "mdia", "hdlr");
    if (!handler || name(handler, 8) !== "vide") continue;
    const table = child(track, "mdia", "minf", "stbl");
    const rate = rateOf(child(track, "mdia", "mdhd"));
    const steps = child(table, "stts");
    if (!steps) return null;
    const times = [];
    let time = 0;
    for (let i = 0; i < steps.getUint32(4); i++) {
      const [count, step] = [steps.getUint32(8 + 8 * i), steps.getUint32(12 + 8 * i)];
      for (let k = 0; k < count; k++, time += step) times.push(time);
    }
    const end = time;
    addOffsets(times, child(table, "ctts"));
    times.sort((a, b) => a - b);
    const shift = startOfEdit(child(track, "edts", "elst"), rate, movieRate);
    const toSeconds = (value) => (value - shift) / rate;
    return times.length ? { times: times.map(toSeconds), end: toSeconds(end) } : null;
  }
  return null;
}

function rateOf(header) {
  return header.getUint32(header.getUint8(0) === 1 ? 20 : 12);
}

// Frames are stored in the order of decoding; these offsets lead to the order of showing.
function addOffsets(times, offsets) {
  if (!offsets) return;
  let frame = 0;
  for (let i = 0; i < offsets.getUint32(4); i++) {
    const [count, offset] = [offsets.getUint32(8 + 8 * i), offsets.getInt32(12 + 8 * i)];
    for (let k = 0; k < count && frame < times.length; k++) times[frame++] += offset;
  }
}

// Where the player begins, in units of the track; a wait before it counts backwards.
function startOfEdit(edits, rate, movieRate) {
  if (!edits) return 0;
  const wide = edits.getUint8(0) === 1;
  let wait = 0;
  for (let i = 0, at = 8; i < edits.getUint32(4); i++, at += wide ? 20 : 12) {
    const length = wide ? Number(edits.getBigUint64(at)) : edits.getUint32(at);
    const start = wide ? Number(edits.getBigInt64(at + 8)) : edits.getInt32(at + 4);
    if (start >= 0) return start - (wait * rate) / movieRate;
    wait += length;
  }
  return 0;
}
