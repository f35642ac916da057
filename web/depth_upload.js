// Buttons that bring depth from the user's computer into ComfyUI's input folder, below the list that shows it.
// The front end's own upload takes WebM and MP4 only, one file at a time.
import { app } from "/scripts/app.js";
import { api } from "/scripts/api.js";

const LISTS = {
  AnyToBokehLoadDisparity: "file",
  AnyToBokehVideo: "disparity_file",
  AnyToBokehLoadSequence: "folder",
};
// Of this one the list holds folders of pictures, and nothing else.
const OF_PICTURES = "AnyToBokehLoadSequence";
const MAPS = [".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".pfm", ".exr", ".npy", ".npz"];
const VIDEOS = [
  ...[".mp4", ".mov", ".m4v", ".3gp", ".mkv", ".webm", ".avi", ".wmv", ".flv", ".ogv", ".mxf", ".gif"],
  ...[".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".vob"],
];
// A hidden file in each uploaded folder: what was to be uploaded. Who reads maps leaves it out.
const MANIFEST = ".any-to-bokeh-upload";
const TEXTS = {
  en: {
    file: "upload depth file",
    folder: "upload folder of maps",
    pictures: "upload folder of pictures",
    sending: (done, total) => (total > 1 ? `uploading ${done} / ${total}` : "uploading ..."),
    started: "Uploading depth",
    finished: "Depth uploaded",
    maps: (folder, count) => `${folder}: ${count} depth maps`,
    frames: (folder, count) => `${folder}: ${count} pictures`,
    begun: "Uploading pictures",
    done: "Pictures uploaded",
    noPictures: (folder) => `The folder ${folder} has no pictures directly in it (EXR, PNG, TIFF ...).`,
    stopped: "Pictures were not uploaded",
    nothing: (folder) =>
      `The folder ${folder} has no depth maps directly in it (PNG, JPG, TIFF, EXR, NPY, NPZ ...).`,
    failed: "Depth was not uploaded",
    unknown: (name) =>
      `${name} cannot be read as depth. Choose a picture (PNG, TIFF, EXR ...), NPY, NPZ or a video.`,
    tooLarge: (name) => `${name} is larger than ComfyUI takes; start it with a higher --max-upload-size.`,
    gone: "ComfyUI does not answer. See whether it still runs, then press the button again.",
    refused: (name, status) => `ComfyUI did not take ${name} (${status}). Its log says why.`,
    goesOn: (done, total) =>
      `${done} of ${total} maps are uploaded; choose the same folder again, and only the others are sent.`,
  },
  zh: {
    file: "上传深度文件",
    folder: "上传深度图文件夹",
    pictures: "上传图像文件夹",
    sending: (done, total) => (total > 1 ? `正在上传 ${done} / ${total}` : "正在上传…"),
    started: "正在上传深度",
    finished: "深度已上传",
    maps: (folder, count) => `${folder}：${count} 张深度图`,
    frames: (folder, count) => `${folder}：${count} 张图像`,
    begun: "正在上传图像",
    done: "图像已上传",
    noPictures: (folder) => `文件夹 ${folder} 中没有直接存放的图像（EXR、PNG、TIFF 等）。`,
    stopped: "图像未能上传",
    nothing: (folder) => `文件夹 ${folder} 中没有直接存放的深度图（PNG、JPG、TIFF、EXR、NPY、NPZ 等）。`,
    failed: "深度未能上传",
    unknown: (name) => `${name} 不能作为深度读取。请选择图片（PNG、TIFF、EXR 等）、NPY、NPZ 或视频。`,
    tooLarge: (name) => `${name} 超出 ComfyUI 允许的大小；请用更大的 --max-upload-size 启动。`,
    gone: "ComfyUI 没有响应。请确认它仍在运行，然后再次点击按钮。",
    refused: (name, status) => `ComfyUI 未接受 ${name}（${status}），原因见其日志。`,
    goesOn: (done, total) => `已上传 ${done} / ${total} 张；再次选择同一文件夹，只会发送其余的文件。`,
  },
};
const busy = new WeakSet();
// Chosen names that lists of nodes added later do not know yet: the front end reads them when it starts.
const uploaded = new Set();
// The options of each list as the front end made them: some Vue nodes go on reading these.
const firstOptions = new WeakMap();

function texts() {
  const language = app.extensionManager?.setting?.get("Comfy.Locale") ?? "en";
  return language.startsWith("zh") ? TEXTS.zh : TEXTS.en;
}

function endsWithOne(name, endings) {
  return endings.some((ending) => name.toLowerCase().endsWith(ending));
}

function isMap(file) {
  return !file.name.startsWith(".") && endsWithOne(file.name, MAPS);
}

// A name that every system can store, as macOS, Windows and Linux write it.
function storable(name) {
  const plain = name
    .normalize("NFC")
    .replace(/[<>:"|?*\\/\u0000-\u001f]/g, "_")
    .replace(/^\.|[. ]$/g, "_");
  return /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(plain) ? `_${plain}` : plain;
}

// The files of one pick; empty if the user changed their mind.
function pick(wholeFolder) {
  return new Promise((resolve) => {
    const input = document.createElement("input");
    input.type = "file";
    if (wholeFolder) input.webkitdirectory = true;
    else input.accept = ["video/*", ...VIDEOS, ...MAPS].join(",");
    input.addEventListener("change", () => resolve([...input.files]));
    input.addEventListener("cancel", () => resolve([]));
    input.click();
  });
}

async function ask(route, options) {
  try {
    return await api.fetchApi(route, options);
  } catch {
    throw new Error(texts().gone);
  }
}

async function send(content, name, subfolder, overwrite = false) {
  const body = new FormData();
  body.append("image", content, name);
  body.append("type", "input");
  body.append("subfolder", subfolder);
  if (overwrite) body.append("overwrite", "true");
  const answer = await ask("/upload/image", { method: "POST", body });
  if (answer.status === 413) throw new Error(texts().tooLarge(name));
  if (!answer.ok) throw new Error(texts().refused(name, answer.status));
  return (await answer.json()).name;
}

function onTheHost(name, subfolder, options = {}) {
  const query = new URLSearchParams({ filename: name, subfolder, type: "input" });
  return ask(`/view?${query}`, { cache: "no-store", ...options });
}

async function namesOnTheHost(type) {
  const schema = (await (await ask(`/object_info/${type}`)).json())[type].input;
  const [kind, options] = schema.optional[LISTS[type]];
  return Array.isArray(kind) ? kind : options.options;
}

// A folder of its own, so that maps of two clips never lie in one; that of an earlier try with the same files.
async function folderFor(wanted, manifest, taken) {
  const occupied = new Set(taken.map((name) => name.toLowerCase()));
  for (let i = 1; ; i++) {
    const name = i === 1 ? wanted : `${wanted}-${i}`;
    const earlier = await onTheHost(MANIFEST, name);
    if (earlier.ok ? (await earlier.text()) === manifest : !occupied.has(`${name.toLowerCase()}/`)) return name;
  }
}

async function uploadFolder(files, taken, ofPictures, onProgress) {
  const picked = files[0].webkitRelativePath.split("/")[0];
  // Those directly in the folder: folders in it are not read.
  const maps = files.filter((file) => isMap(file) && file.webkitRelativePath.split("/").length === 2);
  if (!maps.length) throw new Error((ofPictures ? texts().noPictures : texts().nothing)(picked));
  const manifest = maps.map((file) => `${file.size} ${file.lastModified} ${file.name}`).sort().join("\n");
  const folder = await folderFor(storable(picked), manifest, taken);
  await send(new Blob([manifest]), MANIFEST, folder, true);
  let done = 0;
  try {
    for (; done < maps.length; done++) {
      onProgress(done, maps.length);
      const name = storable(maps[done].name);
      const there = await onTheHost(name, folder, { method: "HEAD" });
      if (there.ok && Number(there.headers.get("Content-Length")) === maps[done].size) continue;
      await send(maps[done], name, folder, true);
    }
  } catch (error) {
    throw new Error(`${error.message} ${texts().goesOn(done, maps.length)}`);
  }
  return { chosen: `${folder}/`, said: (ofPictures ? texts().frames : texts().maps)(folder, maps.length) };
}

async function uploadFile(file, onProgress) {
  if (!endsWithOne(file.name, [...MAPS, ...VIDEOS])) throw new Error(texts().unknown(file.name));
  onProgress(0, 1);
  const chosen = await send(file, storable(file.name), "");
  return { chosen, said: chosen };
}

function isOfPictures(node) {
  return node.comfyClass === OF_PICTURES;
}

// Every list of the same kind in the graph offers what was uploaded.
function offer(names, node) {
  const root = node.graph?.rootGraph ?? node.graph ?? app.graph;
  const graphs = [root, ...(root.subgraphs?.values() ?? [])];
  for (const other of [node, ...graphs.flatMap((graph) => graph.nodes)]) {
    const list = listOf(other);
    if (!list || isOfPictures(other) !== isOfPictures(node)) continue;
    const first = firstOptions.get(list);
    first?.splice(0, first.length, ...names);
    list.options.values = [...names];
  }
}

async function upload(files, node, list, onProgress) {
  const taken = await namesOnTheHost(node.comfyClass);
  const { chosen, said } = files[0].webkitRelativePath
    ? await uploadFolder(files, taken, isOfPictures(node), onProgress)
    : await uploadFile(files[0], onProgress);
  uploaded.add(chosen);
  const names = await namesOnTheHost(node.comfyClass);
  offer(names.includes(chosen) ? names : [...names, chosen], node);
  list.value = chosen;
  list.callback?.(chosen);
  return said;
}

function listOf(node) {
  return node.widgets?.find((widget) => widget.name === LISTS[node.comfyClass]);
}

// Some front ends draw a button's text once: the note says there that work goes on. Returns what removes it.
function showNote(said) {
  const toast = app.extensionManager.toast;
  if (toast.loading) {
    const id = toast.loading(said);
    return () => toast.dismiss(id);
  }
  const note = { severity: "info", summary: said, closable: false };
  toast.add(note);
  return () => toast.remove(note);
}

async function run(node, list, buttons, key) {
  if (busy.has(node)) return;
  const files = await pick(key !== "file");
  if (!files.length || busy.has(node)) return;
  const toast = app.extensionManager.toast;
  const button = buttons[key];
  busy.add(node);
  const removeNote = showNote(isOfPictures(node) ? texts().begun : texts().started);
  for (const each of Object.values(buttons)) each.disabled = true;
  try {
    const said = await upload(files, node, list, (done, total) => {
      button.label = texts().sending(done, total);
      node.setDirtyCanvas(true);
    });
    toast.add({ severity: "success", summary: isOfPictures(node) ? texts().done : texts().finished, detail: said, life: 4000 });
  } catch (error) {
    toast.add({ severity: "error", summary: isOfPictures(node) ? texts().stopped : texts().failed, detail: error.message });
  } finally {
    busy.delete(node);
    removeNote();
    for (const each of Object.values(buttons)) each.disabled = false;
    button.label = texts()[key];
    node.setDirtyCanvas(true);
  }
}

app.registerExtension({
  name: "anytobokeh.DepthUpload",
  nodeCreated(node) {
    const list = listOf(node);
    if (!list) return;
    const options = list.options.values;
    if (Array.isArray(options)) {
      const known = [...uploaded].filter((name) => !isOfPictures(node) || name.endsWith("/"));
      options.push(...known.filter((name) => !options.includes(name)));
      firstOptions.set(list, options);
    }
    const buttons = {};
    for (const key of isOfPictures(node) ? ["pictures"] : ["file", "folder"]) {
      // Workflows that are apps know a button by its name, so it is the same in every language.
      const button = node.addWidget("button", TEXTS.en[key], "", () => run(node, list, buttons, key));
      button.label = texts()[key];
      // Neither in the prompt nor in the saved workflow.
      button.options.serialize = false;
      button.serialize = false;
      buttons[key] = button;
    }
  },
});
