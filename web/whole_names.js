// Boxes of several lines say what they are for and how to fill them, and no name is cut short.
import { app } from "/scripts/app.js";
import { whenDrawn } from "./drawn_by_vue.js";

const OURS = "AnyToBokeh";
const LABEL_PX = 10;
// The label and an example of two lines, with what a canvas node leaves around a box.
const LEAST_BOX_PX = 64;
// Where the longest choice of a list needs more than a new node has.
const LEAST_WIDTH_PX = { AnyToBokehLoadModel: 300 };
// Drawn as a background: an element of its own would not follow the box, which the front end moves.
function labelled(box, text) {
  const label = text.replace(/[<&]/g, "");
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="300" height="18"><text x="6" y="12" fill="#8c8c8c" ` +
    `font-family="sans-serif" font-size="${LABEL_PX}">${label}</text></svg>`;
  box.style.backgroundImage = `url("data:image/svg+xml,${encodeURIComponent(svg)}")`;
  box.style.backgroundRepeat = "no-repeat";
  box.style.setProperty("padding-top", "18px", "important");
}

// What the node says of an input.
function optionsOf(node, name) {
  const { required = {}, optional = {} } = node.constructor.nodeData?.input ?? {};
  return (optional[name] ?? required[name])?.[1] ?? {};
}

// What Vue draws of a node.
function dress(element, node) {
  // Up to 1.3x names of settings have 80 px, and titles what the badge leaves.
  for (const name of element.querySelectorAll(".lg-node-widget .w-20")) {
    Object.assign(name.style, { width: "auto", flex: "none", paddingRight: "6px" });
  }
  for (const title of element.querySelectorAll(".lg-node-header .truncate")) {
    Object.assign(title.style, { whiteSpace: "normal", overflow: "visible" });
  }
  const boxes = element.querySelectorAll(`[node-type^="${OURS}"] > textarea`);
  const widgets = (node.widgets ?? []).filter((widget) => widget.type === "customtext" && !widget.hidden);
  for (const [number, box] of boxes.entries()) {
    const widget = widgets[number];
    if (!widget) continue;
    box.placeholder = optionsOf(node, widget.name).placeholder ?? "";
    if (!box.parentElement.querySelector("label")) labelled(box, widget.label ?? widget.name);
  }
}

app.registerExtension({
  name: "anytobokeh.WholeNames",
  setup() {
    whenDrawn(dress);
  },
  nodeCreated(node) {
    if (!node.comfyClass?.startsWith(OURS)) return;
    const leastWidth = LEAST_WIDTH_PX[node.comfyClass] ?? 0;
    if (node.size[0] < leastWidth) node.setSize([leastWidth, node.size[1]]);
    for (const widget of node.widgets ?? []) {
      if (!(widget.element instanceof HTMLTextAreaElement)) continue;
      labelled(widget.element, widget.label ?? widget.name);
      widget.options.getMinHeight ??= () => LEAST_BOX_PX;
      // Nodes on the canvas show no tooltip over such a box.
      widget.element.title = widget.tooltip ?? optionsOf(node, widget.name).tooltip ?? "";
    }
    const [width, height] = node.size;
    node.setSize([width, Math.max(height, node.computeSize()[1])]);
  },
});
