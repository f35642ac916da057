// What the tests ask of the front end, from inside its page; values go out as plain JSON.
"use strict";

// Dialogs and toasts of the front ends up to 1.3x, and the overlay that later ones show instead.
const COMPLAINTS = [
  ".p-dialog",
  "[role=dialog]",
  "[role=alertdialog]",
  ".p-toast-message-warn",
  ".p-toast-message-error",
  "[data-testid=error-overlay]",
].join(",");

// Outlines that a node may have in good health; all others mark an error.
const HARMLESS_OUTLINES = ["selected", "running", "dragOver"];

// What the search for nodes finds, in front ends up to 1.3x and in later ones.
const FOUND_NODES = ".p-autocomplete-option, [data-testid=result-item]";

const progressShown = {};
let placeBefore = null;

function nodeOfType(type) {
  return window.app.graph.nodes.find((node) => node.type === type);
}

function errorMarks(node) {
  const outlines = Object.entries(node.strokeStyles ?? {})
    .filter(([name, stroke]) => !HARMLESS_OUTLINES.includes(name) && stroke.call(node))
    .map(([name]) => name);
  const sockets = (node.inputs ?? []).filter((input) => input.hasErrors).map((input) => input.name);
  return [...(node.has_errors ? ["has_errors"] : []), ...outlines, ...sockets];
}

window.inPage = {
  // The front end opens a workflow of its own first; one that is loaded before would be replaced by it.
  isReady: () =>
    Boolean(window.app?.extensionManager?.workflow?.activeWorkflow && window.app.graph?.nodes.length),

  load: async (workflow) => void (await window.app.loadGraphData(workflow)),

  // In a tab of its own, with a history of its own.
  startOver: async () => {
    const panels = window.app.extensionManager.sidebarTab;
    const open = panels?.activeSidebarTabId;
    if (open) panels.toggleSidebarTab(open);
    await window.app.loadGraphData({ version: 0.4, last_node_id: 0, last_link_id: 0, nodes: [], links: [] });
  },

  knowsSetting: (id) => id in window.app.extensionManager.setting.settings,

  countVueNodes: () => document.querySelectorAll(".lg-node").length,

  hasVueNodes: (count) => window.inPage.countVueNodes() === count,

  nodes: () =>
    window.app.graph.nodes.map((node) => ({
      id: Number(node.id),
      type: node.type,
      registered: node.type in window.LiteGraph.registered_node_types,
      error_marks: errorMarks(node),
      widgets: (node.widgets ?? []).map((widget) => widget.name),
      saved_values: node.serialize().widgets_values ?? [],
    })),

  prompt: async () => (await window.app.graphToPrompt()).output,

  complaints: () => [
    ...[...document.querySelectorAll(COMPLAINTS)].map((element) => element.innerText),
    // After a good run the first of them is an empty object.
    ...[window.app.lastNodeErrors, window.app.lastExecutionError]
      .filter((errors) => Object.keys(errors ?? {}).length > 0)
      .map((errors) => JSON.stringify(errors)),
  ],

  hasComplaints: () => window.inPage.complaints().length > 0,

  setWidget: (type, name, value) => {
    nodeOfType(type).widgets.find((widget) => widget.name === name).value = value;
  },

  widget: (type, name) => {
    const { value, label, options } = nodeOfType(type).widgets.find((widget) => widget.name === name);
    return { value, label, options: options?.values };
  },

  optionsOfNewNode: (type, name) =>
    window.LiteGraph.createNode(type).widgets.find((widget) => widget.name === name).options.values,

  hasValue: (type, name, value) => window.inPage.widget(type, name).value === value,

  hasLabel: (type, name, label) => window.inPage.widget(type, name).label === label,

  isEnabled: (type, name) => !nodeOfType(type).widgets.find((widget) => widget.name === name).disabled,

  // In the middle of a widget that is drawn on the canvas, in px of the page.
  placeOfWidget: (type, name) => {
    const node = nodeOfType(type);
    const { scale, offset } = window.app.canvas.ds;
    const canvas = document.querySelector("#graph-canvas").getBoundingClientRect();
    const y = node.pos[1] + node.widgets.find((widget) => widget.name === name).last_y + 10;
    return [
      canvas.left + (node.pos[0] + node.size[0] / 2 + offset[0]) * scale,
      canvas.top + (y + offset[1]) * scale,
    ];
  },

  shows: (text) => document.body.innerText.includes(text),

  showsExactly: (texts) => {
    const seen = [...document.querySelectorAll("body *")].filter((element) => element.offsetParent);
    const words = new Set(seen.map((element) => element.innerText?.trim()));
    return texts.every((text) => words.has(text));
  },

  showsNot: (text) => !document.body.innerText.includes(text),

  // As if a node of this type had failed in the host.
  fail: (type, message) => {
    const node_id = String(nodeOfType(type).id);
    const told = { exception_type: "ValueError", exception_message: message, traceback: [] };
    const detail = { ...told, node_id, node_type: type, prompt_id: "test", executed: [] };
    window.comfyAPI.api.api.dispatchEvent(new CustomEvent("execution_error", { detail }));
  },

  // Whether a text ends before another begins.
  isLeftOf: (text, other) => {
    const rectOf = (wanted) =>
      [...document.querySelectorAll("body *")]
        .findLast((element) => element.offsetParent && element.innerText?.trim() === wanted)
        ?.getBoundingClientRect();
    return rectOf(text)?.right <= rectOf(other)?.left;
  },

  zoom: () => window.app.canvas.ds.scale,

  // Whether the view stands where it stood when it was last asked for.
  isStill: () => {
    const place = [window.app.canvas.ds.scale, ...window.app.canvas.ds.offset].join();
    const still = place === placeBefore;
    placeBefore = place;
    return still;
  },

  hasTitle: (title) => window.app.graph.nodes.some((node) => node.title === title),

  ports: (title) => {
    const node = window.app.graph.nodes.find((node) => node.title === title);
    const widgets = node.widgets.map((widget) => widget.name);
    return { widgets, sockets: node.inputs.map((input) => input.name).filter((name) => !widgets.includes(name)) };
  },

  // Titles of nodes whose head is not to be seen, or lies behind the bars on the left and at the top.
  outOfView: () => {
    const { scale, offset } = window.app.canvas.ds;
    const [left, top] = [60, 40];
    return window.app.graph.nodes
      .filter(({ pos, size }) => {
        const x = (pos[0] + offset[0]) * scale;
        const y = (pos[1] + offset[1]) * scale;
        return x < left || y < top || x + size[0] * scale > window.innerWidth || y > window.innerHeight;
      })
      .map((node) => node.title);
  },

  moveView: (pixels) => {
    window.app.canvas.ds.offset[0] -= pixels;
  },

  // Pairs of nodes that lie on each other, and links that pass behind a node, as they are drawn.
  collisions: () => {
    const { nodes, links } = window.app.graph;
    const { scale, offset } = window.app.canvas.ds;
    const canvas = document.querySelector("#graph-canvas").getBoundingClientRect();
    const rectOf = (node) => {
      const element = document.querySelector(`.lg-node[data-node-id="${node.id}"]`);
      if (!element) return [...node.boundingRect];
      const { left, top, width, height } = element.getBoundingClientRect();
      return [
        (left - canvas.left) / scale - offset[0],
        (top - canvas.top) / scale - offset[1],
        width / scale,
        height / scale,
      ];
    };
    const rects = new Map(nodes.map((node) => [node, rectOf(node)]));
    const holds = ([x, y, w, h], [px, py]) => px > x && px < x + w && py > y && py < y + h;
    const found = [];
    for (const [one, [x, y, w, h]] of rects) {
      for (const [other, [left, top, width, height]] of rects) {
        const apart = x + w <= left || left + width <= x || y + h <= top || top + height <= y;
        if (one.id < other.id && !apart) found.push(`${one.title} lies on ${other.title}`);
      }
    }
    for (const link of links.values()) {
      const from = window.app.graph.getNodeById(link.origin_id);
      const to = window.app.graph.getNodeById(link.target_id);
      const [a, b] = [from.getOutputPos(link.origin_slot), to.getInputPos(link.target_slot)];
      const bend = Math.hypot(a[0] - b[0], a[1] - b[1]) / 4;
      const controls = [a, [a[0] + bend, a[1]], [b[0] - bend, b[1]], b];
      for (let t = 0; t <= 1; t += 1 / 64) {
        const weights = [(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t ** 2 * (1 - t), t ** 3];
        const point = [0, 1].map((axis) => weights.reduce((sum, weight, i) => sum + weight * controls[i][axis], 0));
        // Sockets lie inside their node.
        if ([a, b].some((end) => Math.hypot(end[0] - point[0], end[1] - point[1]) < 20)) continue;
        for (const [node, rect] of rects) {
          if (holds(rect, point)) found.push(`${from.title} -> ${to.title} passes behind ${node.title}`);
        }
      }
    }
    return [...new Set(found)];
  },

  linkColours: (types) => types.map((type) => window.LGraphCanvas.link_type_colors[type] ?? ""),

  dotColours: (types) =>
    types.map((type) => getComputedStyle(document.body).getPropertyValue(`--color-datatype-${type}`).trim()),

  // A node's bar is drawn from this property, and it is gone too soon to be looked for afterwards.
  recordProgress: (type) => {
    const node = nodeOfType(type);
    let current = node.progress;
    progressShown[type] = [];
    Object.defineProperty(node, "progress", {
      configurable: true,
      get: () => current,
      set: (fraction) => {
        current = fraction;
        progressShown[type].push(fraction ?? null);
      },
    });
  },

  recordedProgress: (type) => progressShown[type],

  outputs: () => window.app.nodeOutputs,

  // Videos are elements in both kinds of nodes; pictures are elements only in Vue nodes.
  showsResults: (videoNames, pictureNodeTypes) => {
    const loaded = [...document.querySelectorAll("video")].filter((video) => video.readyState > 0);
    const showsPictures = (node) =>
      node.imgs?.length > 0 || document.querySelector(`[data-node-id="${node.id}"] img`)?.naturalWidth > 0;
    return (
      videoNames.every((name) => loaded.some((video) => video.currentSrc.includes(`filename=${name}`))) &&
      window.app.graph.nodes.filter((node) => pictureNodeTypes.includes(node.type)).every(showsPictures)
    );
  },

  // As if the host had run the only node.
  receive: (type, output) => {
    const node = String(nodeOfType(type).id);
    const detail = { node, display_node: node, output, prompt_id: "test" };
    window.comfyAPI.api.api.dispatchEvent(new CustomEvent("executed", { detail }));
    window.app.canvas.setDirty(true, true);
  },

  // As if the file were dropped on the canvas.
  drop: async (url) => {
    const content = await (await fetch(url)).blob();
    const name = new URL(url, location.href).searchParams.get("filename");
    const transfer = new DataTransfer();
    transfer.items.add(new File([content], name, { type: "video/mp4" }));
    const canvas = document.querySelector("#graph-canvas");
    const at = { clientX: window.innerWidth / 2, clientY: window.innerHeight / 2 };
    for (const kind of ["dragover", "drop"]) {
      canvas.dispatchEvent(
        new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: transfer, ...at }),
      );
    }
  },

  clearGraph: () => window.app.graph.clear(),

  hasNodes: (types) => window.app.graph.nodes.map((node) => node.type).sort().join() === [...types].sort().join(),

  // What people do with keys and menus, by the front end's own means.
  copyAndPaste: (type) => {
    const { canvas } = window.app;
    canvas.deselectAll?.();
    canvas.selectNode(nodeOfType(type));
    canvas.copyToClipboard();
    canvas.pasteFromClipboard();
    return window.app.graph.nodes.at(-1).type;
  },

  valuesOf: (type, name) =>
    window.app.graph.nodes
      .filter((node) => node.type === type)
      .map((node) => node.widgets.find((widget) => widget.name === name).value),

  undo: async () => window.app.extensionManager.workflow.activeWorkflow.changeTracker.undo(),

  saved: () => JSON.parse(JSON.stringify(window.app.graph.serialize())),

  intoSubgraph: (type) => {
    window.app.graph.convertToSubgraph(new Set([nodeOfType(type)]));
  },

  select: (type) => {
    window.app.canvas.selectNode(nodeOfType(type));
    window.app.canvas.setDirty(true, true);
  },

  // One node alone, at a zoom where all of it is drawn.
  addOnly: async (type) => {
    window.app.graph.clear();
    window.app.canvas.ds.scale = 1;
    window.app.canvas.ds.offset = [0, 0];
    const node = window.LiteGraph.createNode(type);
    node.pos = [300, 150];
    window.app.graph.add(node);
    window.app.canvas.setDirty(true, true);
    // The nodes of Vue are drawn a little later, and once more when a pack's script has hidden some of it.
    for (let last = null; last !== (last = document.querySelector(".lg-node")?.innerText ?? ""); ) {
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  },

  // What a Vue node cuts short: names, titles and values that are wider than their place.
  cutTexts: () =>
    [...document.querySelectorAll(".lg-node *")]
      .filter((element) => {
        const style = getComputedStyle(element);
        const isText = element.childElementCount === 0 || style.textOverflow === "ellipsis";
        return isText && style.overflowX !== "visible" && element.clientWidth && element.innerText?.trim();
      })
      .filter((element) => element.scrollWidth > element.clientWidth)
      .map((element) => element.innerText.trim()),

  // Settings that a user sees, by name.
  shownSettings: (type) => {
    const node = nodeOfType(type);
    const drawn = document.querySelector(`[data-node-id="${node.id}"]`);
    if (!drawn) return node.widgets.filter((widget) => !widget.hidden).map((widget) => widget.name);
    const rows = [...drawn.querySelectorAll(".lg-node-widget")].filter((row) => row.offsetParent);
    const named = (row, name) =>
      row.innerText.split("\n").some((text) => text.trim() === name) ||
      row.querySelector("[aria-label]")?.ariaLabel === name;
    return node.widgets
      .map((widget) => widget.name)
      .filter((name) => rows.some((row) => named(row, name)));
  },

  // Whether the shown widgets of a canvas node follow each other without room for hidden ones.
  hasNoGaps: (type) => {
    const rows = nodeOfType(type).widgets.filter((widget) => !widget.hidden);
    return rows.every((row, number) => number === 0 || row.y === rows[number - 1].y + rows[number - 1].computedHeight);
  },

  isAsLowAsItsContent: (type) => Math.abs(nodeOfType(type).size[1] - nodeOfType(type).computeSize()[1]) < 1,

  setHeight: (type, height) => nodeOfType(type).setSize([nodeOfType(type).size[0], height]),

  height: (type) => nodeOfType(type).size[1],

  showsSettings: (type, names) => window.inPage.shownSettings(type).join() === names.join(),

  // As a user does it, which tells the node of it.
  choose: (type, name, value) => {
    const widget = nodeOfType(type).widgets.find((candidate) => candidate.name === name);
    widget.value = value;
    widget.callback?.(value);
  },

  // The picture that Choose Lens shows, once it is there: its file, and which part of the node it fills.
  showsLensPicture: (file) => {
    const image = document.querySelector("img.any-to-bokeh-lens-picture");
    if (!image) return false;
    const { width, height } = image.getBoundingClientRect();
    if (file === null) return height === 0;
    const node = nodeOfType("AnyToBokehChooseLens");
    const scale = window.app.canvas.ds.scale;
    // Vue gives it what height the node has left.
    const isWide = width > 0.8 * node.size[0] * scale && height > 90 * scale && height < width;
    return isWide && image.naturalWidth > 0 && image.currentSrc.endsWith(`/lenses/${file}`);
  },

  linkTo: (type, input, sourceType, output) => {
    const source = window.LiteGraph.createNode(sourceType);
    source.pos = [-400, 150];
    window.app.graph.add(source);
    const node = nodeOfType(type);
    source.connect(output, node, node.inputs.findIndex((socket) => socket.name === input));
  },

  narrowTitle: () => {
    const style = "width: 20px; flex: none; overflow: hidden; white-space: nowrap";
    document.querySelector(".lg-node-header .truncate").style.cssText = style;
  },

  // Boxes of several lines as they are drawn.
  boxes: () =>
    [...document.querySelectorAll(".lg-node textarea, textarea.comfy-multiline-input")]
      .filter((box) => box.offsetParent)
      .map((box) => ({
        example: box.placeholder,
        label:
          box.parentElement.querySelector("label")?.innerText ??
          decodeURIComponent(box.style.backgroundImage).match(/>([^<]+)<.text>/)?.[1],
        tooltip: box.title,
      })),

  // Whether boxes show all lines of their example.
  hasWholeBoxes: () => {
    const boxes = [...document.querySelectorAll("textarea.comfy-multiline-input")].filter((box) => box.offsetParent);
    return boxes.length > 0 && boxes.every((box) => box.clientHeight && box.scrollHeight <= box.clientHeight);
  },

  openSearch: async () => {
    if (window.inPage.isTyping()) return;
    await window.app.extensionManager.command.execute("Workspace.SearchBox.Toggle");
  },

  isTyping: () => document.activeElement?.tagName === "INPUT",

  // The list follows the typing with some delay.
  findsFirst: (name, among) => {
    const titles = [...document.querySelectorAll(FOUND_NODES)].map((node) => node.innerText.trim().split("\n")[0]);
    return titles.map((title) => title.trim()).filter((title) => !among || among.includes(title))[0] === name;
  },

  textsOf: (type) => {
    const node = nodeOfType(type);
    return {
      display_name: window.LiteGraph.registered_node_types[type].nodeData.display_name,
      title: node.title,
      category: window.LiteGraph.registered_node_types[type].category,
      inputs: Object.fromEntries(node.inputs.map((input) => [input.name, input.localized_name])),
      widgets: Object.fromEntries(node.widgets.map((widget) => [widget.name, widget.label])),
      outputs: node.outputs.map((output) => output.localized_name),
    };
  },

  helpShows: (text) => document.querySelector(".node-help-content")?.innerText.includes(text) ?? false,

  // The view glides to its place, so it is there once it stands still.
  fitView: async () => {
    await window.app.extensionManager.command.execute("Comfy.Canvas.FitView");
    const place = () => [window.app.canvas.ds.scale, ...window.app.canvas.ds.offset].join();
    for (let last = null; last !== place(); ) {
      last = place();
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  },
};
