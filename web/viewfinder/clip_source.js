// The clip that a node will get, found in the graph before anything runs.

const INPUT_OF_SUBGRAPH = -10;
const BYPASSED = 4;
const MOST_STEPS = 64;
// Nodes that hand on the pictures of a clip, all of them and uncut.
const HAND_ON = new Set(["Reroute", "GetVideoComponents", "ImageScaleBy", "ImageScaleToTotalPixels"]);
const VIDEO_FILE = /\.(mp4|m4v|mov|webm|mkv|avi|ogv|gif)$/i;

// { kind: "none" } nothing is connected; { kind: "video" | "image", url, key } a file of the host;
// { kind: "unseen", title, key } the clip comes out of something that has to run.
// urlOf: { filename, subfolder, type } -> address. names: inputs to look at, in this order.
export function clipOf(node, names, urlOf) {
  for (const name of names) {
    const from = originOf(node, name);
    if (from) return followed(from, urlOf);
  }
  return { kind: "none", key: "none" };
}

// What an input is connected to: { node, slot }, through subgraphs; null where nothing is.
export function originOf(node, inputName) {
  const slot = node.inputs?.findIndex((input) => input.name === inputName) ?? -1;
  const link = slot === -1 ? null : linkOf(node.graph, node.inputs[slot].link);
  return link && endOf(node.graph, link);
}

function linkOf(graph, id) {
  if (id === null || id === undefined) return null;
  return graph.getLink?.(id) ?? graph.links?.get?.(id) ?? graph.links?.[id] ?? null;
}

function endOf(graph, link) {
  if (Number(link.origin_id) === INPUT_OF_SUBGRAPH) {
    const outer = holderOf(graph);
    const input = graph.inputs?.[link.origin_slot];
    return outer && input ? originOf(outer, input.name) : null;
  }
  const node = graph.getNodeById(link.origin_id);
  if (!node) return null;
  if (!node.subgraph) return { node, slot: link.origin_slot };
  const output = node.subgraph.outputs?.[link.origin_slot];
  const inner = linkOf(node.subgraph, output?.linkIds?.[0]);
  return inner ? endOf(node.subgraph, inner) : null;
}

// The node that stands for a subgraph in the graph around it.
function holderOf(subgraph) {
  const root = subgraph.rootGraph ?? window.app?.graph;
  const graphs = [root, ...(root?.subgraphs?.values?.() ?? [])];
  for (const graph of graphs) {
    const holder = graph?.nodes?.find((node) => node.subgraph === subgraph);
    if (holder) return holder;
  }
  return null;
}

function followed(from, urlOf) {
  let at = from;
  for (let step = 0; at && step < MOST_STEPS; step++) {
    const { node, slot } = at;
    const file = fileOf(node, urlOf);
    if (file) return file;
    const next = inputToFollow(node, slot);
    if (!next) return { kind: "unseen", title: node.title || node.type, key: `unseen ${node.id}` };
    at = originOf(node, next);
  }
  return { kind: "none", key: "none" };
}

function inputToFollow(node, slot) {
  const inputs = node.inputs ?? [];
  const linked = (types) => inputs.find((input) => types.includes(input.type) && input.link !== null)?.name;
  if (node.mode === BYPASSED) return linked([node.outputs[slot]?.type]);
  if (node.type === "Reroute") return inputs[0]?.name;
  // Our own nodes take a clip to fit their depth to.
  if (HAND_ON.has(node.type)) return linked(["VIDEO", "IMAGE"]);
  if (node.type?.startsWith("AnyToBokeh") && node.outputs[slot]?.type === "DISPARITY") return linked(["IMAGE"]);
  return null;
}

function fileOf(node, urlOf) {
  if (node.mode === BYPASSED) return null;
  if (node.type === "AnyToBokehExampleClip") return exampleOf(node);
  const named = { LoadVideo: "file", LoadImage: "image", VHS_LoadVideo: "video" }[node.type];
  const value = named && widgetOf(node, named)?.value;
  if (typeof value !== "string" || !value || isEdited(node)) return null;
  const annotated = /^(.*?)(?: \[(input|output|temp)\])?$/.exec(value);
  const parts = annotated[1].split("/");
  const url = urlOf({ filename: parts.pop(), subfolder: parts.join("/"), type: annotated[2] ?? "input" });
  const isVideo = node.type !== "LoadImage" || VIDEO_FILE.test(annotated[1]);
  return { kind: isVideo ? "video" : "image", url, key: url };
}

// Trims, crops and rates change which frame is which; only a run shows what comes of them.
function isEdited(node) {
  if (node.type === "VHS_LoadVideo") {
    const neutral = { force_rate: 0, custom_width: 0, custom_height: 0, frame_load_cap: 0, skip_first_frames: 0, select_every_nth: 1 };
    return Object.entries(neutral).some(([name, value]) => Number(widgetOf(node, name)?.value ?? value) !== value);
  }
  const edit = widgetOf(node, "edit") ?? widgetOf(node, "video_edit");
  return Boolean(edit?.value && JSON.stringify(edit.value) !== "{}");
}

function exampleOf(node) {
  const most = Number(widgetOf(node, "max_frames")?.value ?? 0);
  const url = new URL(`../clips/${widgetOf(node, "clip")?.value}.mp4`, import.meta.url).href;
  return { kind: "video", url, key: `${url} ${most} ${widgetOf(node, "size")?.value}`, most, half: widgetOf(node, "size")?.value === "half" };
}

function widgetOf(node, name) {
  return node.widgets?.find((widget) => widget.name === name);
}
