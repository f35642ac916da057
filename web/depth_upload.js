// Buttons that bring depth from the user's computer into ComfyUI's input folder, below the list that shows it.
// The front end's own upload takes WebM and MP4 only, one file at a time.
import { app } from "/scripts/app.js";
import { api } from "/scripts/api.js";

const LISTS = { AnyToBokehLoadDisparity: "file", AnyToBokehVideo: "disparity_file" };
const MAPS = [".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".pfm", ".exr", ".npy", ".npz"];
const TEXTS = {
  en: {
    file: "upload depth file",
    folder: "upload folder of maps",
    sending: (done, total) => `uploading ${done} / ${total}`,
    nothing: "The folder has no depth maps (PNG, TIFF, EXR, NPY, NPZ ...).",
    failed: "Depth was not uploaded",
    tooLarge: (name) => `${name} is larger than ComfyUI takes; start it with a higher --max-upload-size.`,
  },
  zh: {
    file: "上传深度文件",
    folder: "上传深度图文件夹",
    sending: (done, total) => `正在上传 ${done} / ${total}`,
    nothing: "文件夹中没有深度图（PNG、TIFF、EXR、NPY、NPZ 等）。",
    failed: "深度未能上传",
    tooLarge: (name) => `${name} 超出 ComfyUI 允许的大小；请用更大的 --max-upload-size 启动。`,
  },
};

function texts() {
  const language = app.extensionManager?.setting?.get("Comfy.Locale") ?? "en";
  return language.startsWith("zh") ? TEXTS.zh : TEXTS.en;
}

function isMap(file) {
  return !file.name.startsWith(".") && MAPS.some((ending) => file.name.toLowerCase().endsWith(ending));
}

// The files of one pick; empty if the user changed their mind.
function pick(wholeFolder) {
  return new Promise((resolve) => {
    const input = document.createElement("input");
    input.type = "file";
    if (wholeFolder) input.webkitdirectory = true;
    else input.accept = ["video/*", ".mkv", ...MAPS].join(",");
    input.addEventListener("change", () => resolve([...input.files]));
    input.addEventListener("cancel", () => resolve([]));
    input.click();
  });
}

async function send(file, subfolder) {
  const body = new FormData();
  body.append("image", file, file.name);
  body.append("type", "input");
  body.append("subfolder", subfolder);
  const answer = await api.fetchApi("/upload/image", { method: "POST", body });
  if (answer.status === 413) throw new Error(texts().tooLarge(file.name));
  if (!answer.ok) throw new Error(`${file.name}: ${answer.status} ${answer.statusText}`);
  return (await answer.json()).name;
}

async function namesOnTheHost(type, listName) {
  const schema = (await (await api.fetchApi(`/object_info/${type}`)).json())[type].input;
  const [kind, options] = schema.optional[listName];
  return Array.isArray(kind) ? kind : options.options;
}

// A folder of its own, so that maps of two clips never lie in one.
function freeFolder(wanted, taken) {
  let name = wanted;
  for (let i = 2; taken.includes(`${name}/`); i++) name = `${wanted}-${i}`;
  return name;
}

async function upload(files, type, list, onProgress) {
  const taken = await namesOnTheHost(type, list.name);
  const picked = files[0].webkitRelativePath.split("/")[0];
  let chosen;
  if (picked) {
    // Those directly in the folder: folders in it are not read.
    const maps = files.filter((file) => isMap(file) && file.webkitRelativePath.split("/").length === 2);
    if (!maps.length) throw new Error(texts().nothing);
    const folder = freeFolder(picked, taken);
    for (const [done, file] of maps.entries()) {
      onProgress(done, maps.length);
      await send(file, folder);
    }
    chosen = `${folder}/`;
  } else {
    onProgress(0, 1);
    chosen = await send(files[0], "");
  }
  const names = await namesOnTheHost(type, list.name);
  list.options.values = names.includes(chosen) ? names : [...names, chosen];
  list.value = chosen;
  list.callback?.(chosen);
}

function addButton(node, list, key) {
  // Vue nodes show the name of a button, canvas nodes its label.
  const button = node.addWidget("button", texts()[key], "", async () => {
    const files = await pick(key === "folder");
    if (!files.length) return;
    button.disabled = true;
    try {
      await upload(files, node.comfyClass, list, (done, total) => {
        button.label = texts().sending(done, total);
        node.setDirtyCanvas(true);
      });
    } catch (error) {
      app.extensionManager.toast.add({ severity: "error", summary: texts().failed, detail: error.message });
    } finally {
      button.disabled = false;
      button.label = texts()[key];
      node.setDirtyCanvas(true);
    }
  });
  button.label = texts()[key];
  // Neither in the prompt nor in the saved workflow.
  button.options.serialize = false;
  button.serialize = false;
}

app.registerExtension({
  name: "anytobokeh.DepthUpload",
  nodeCreated(node) {
    const list = node.widgets?.find((widget) => widget.name === LISTS[node.comfyClass]);
    if (!list) return;
    addButton(node, list, "file");
    addButton(node, list, "folder");
  },
});
