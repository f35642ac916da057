// Shows on Choose Lens what the chosen preset does to lamps over the frame.
import { app } from "/scripts/app.js";

const NODE = "AnyToBokehChooseLens";
const WIDGET = "lens_picture";
const HEIGHT_PX = 118;

function pictureOf(preset) {
  return new URL(`./lenses/${preset.replaceAll(" ", "_")}.webp`, import.meta.url).href;
}

app.registerExtension({
  name: "anytobokeh.LensPicture",
  nodeCreated(node) {
    const preset = node.comfyClass === NODE && node.widgets?.find((widget) => widget.name === "preset");
    if (!preset) return;
    const image = document.createElement("img");
    image.className = "any-to-bokeh-lens-picture";
    image.style.cssText = "width: 100%; object-fit: cover; border-radius: 6px; pointer-events: none;";
    // A preset without a picture, of a lens that a later version brings, has no frame of a broken one either.
    image.addEventListener("error", () => (image.style.visibility = "hidden"));
    image.addEventListener("load", () => (image.style.visibility = ""));
    const heightPx = () => (image.hidden ? 0 : HEIGHT_PX);
    const widget = node.addDOMWidget(WIDGET, "any_to_bokeh_picture", image, {
      getMinHeight: heightPx,
      getMaxHeight: heightPx,
      getValue: () => "",
      setValue: () => {},
      serialize: false,
      hideOnZoom: false,
      surfaces: { canvas: "shown", vueNode: "shown", panel: "never" },
    });
    widget.serialize = false;
    const update = () => {
      // Widgets of their own say what a lens does; there is no picture of every one.
      const shown = typeof preset.value === "string" && preset.value !== "custom";
      const before = heightPx();
      image.hidden = !shown;
      image.style.display = shown ? "block" : "none";
      image.style.height = `${HEIGHT_PX}px`;
      if (shown) {
        image.src = pictureOf(preset.value);
        image.alt = preset.value;
      }
      if (heightPx() !== before) node.setSize([node.size[0], node.size[1] + heightPx() - before]);
      node.setDirtyCanvas?.(true, true);
    };
    for (const [object, name] of [
      [preset, "callback"],
      [node, "onConfigure"],
    ]) {
      const original = object[name];
      object[name] = function (...values) {
        const result = original?.apply(this, values);
        update();
        return result;
      };
    }
    update();
    node.setSize([node.size[0], node.computeSize()[1]]);
  },
});
