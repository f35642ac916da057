// Viewfinders on the nodes: Viewfinder keeps its script in the widget itself, Focus at Point in its texts.
import { app } from "/scripts/app.js";
import { api } from "/scripts/api.js";
import { NodeViewfinder } from "./viewfinder/node_viewfinder.js";
import { PointKeyframes } from "./viewfinder/point_keyframes.js";
import { ScriptText } from "./viewfinder/script_text.js";
import { textsOf } from "./viewfinder/texts.js";

const TYPE = "ANY_TO_BOKEH_VIEWFINDER";
const MIN_WIDTH_PX = 420;
const MIN_HEIGHT_PX = 400;
// On a node that has rows of widgets of its own.
const GUEST_MIN_HEIGHT_PX = 320;
// What only a viewfinder on other nodes' texts is called; it is no input of theirs.
const GUEST_NAME = "viewfinder";

function texts() {
  return textsOf(app.extensionManager?.setting?.get("Comfy.Locale"));
}

function addWidget(node, name, model, isGuest) {
  const host = new NodeViewfinder(node, model, texts(), { app, api });
  const widget = node.addDOMWidget(name, isGuest ? "any_to_bokeh_guest" : TYPE, host.element, {
    getValue: () => model.value ?? "",
    setValue: (value) => {
      if (isGuest || value === model.value) return;
      model.value = typeof value === "string" ? value : "";
      host.viewfinder.reload();
    },
    getMinHeight: () => (isGuest ? GUEST_MIN_HEIGHT_PX : MIN_HEIGHT_PX),
    hideOnZoom: false,
    surfaces: { canvas: "shown", vueNode: "shown", panel: "never" },
    ...(isGuest ? { serialize: false } : {}),
  });
  if (isGuest) widget.serialize = false;
  host.watch(widget);
  const [width, height] = node.size;
  const [leastWidth, leastHeight] = node.computeSize();
  node.setSize([Math.max(width, leastWidth, MIN_WIDTH_PX), Math.max(height, leastHeight)]);
  return widget;
}

app.registerExtension({
  name: "anytobokeh.Viewfinder",
  getCustomWidgets: () => ({
    [TYPE]: (node, name) => ({
      widget: addWidget(node, name, new ScriptText(node), false),
      minWidth: MIN_WIDTH_PX,
      minHeight: MIN_HEIGHT_PX,
    }),
  }),
  nodeCreated(node) {
    if (node.comfyClass !== "AnyToBokehFocusAtPoint") return;
    addWidget(node, GUEST_NAME, new PointKeyframes(node), true);
  },
});
