// Gives the pack's own sockets a colour each, so that links can be told apart; what is like a socket of
// ComfyUI's has its colour. A palette that names them goes first.
import { app } from "/scripts/app.js";

const COLOURS = {
  DISPARITY: "#4DD0C4",
  FOCUS: "#FF8A65",
  BLUR_STRENGTH: "#E6C34A",
  LENS: "#CE93D8",
  MPI_REGIONS: "#AED581",
  INTRINSICS: "#A1887F",
  BOUNDING_BOX: "#90CAF9",
  BOKEH_MODEL: "#B39DDB",
  BOKEH_VAE: "#FF6E6E",
  BOKEH_WINDOWS: "#FF9CF9",
};

// A palette that is loaded later empties what it does not name.
function keep(colours, type) {
  let fromPalette = colours[type];
  Object.defineProperty(colours, type, {
    configurable: true,
    enumerable: true,
    get: () => fromPalette || COLOURS[type],
    set: (colour) => (fromPalette = colour),
  });
}

app.registerExtension({
  name: "anytobokeh.LinkColours",
  setup() {
    const { canvas } = app;
    for (const type of Object.keys(COLOURS)) {
      for (const colours of [canvas.default_connection_color_byType, canvas.constructor.link_type_colors]) {
        if (colours) keep(colours, type);
      }
    }
    // The dots of Vue nodes. A palette clears them on one of the two elements, which differs by front end.
    for (const { style } of [document.documentElement, document.body]) {
      for (const [type, colour] of Object.entries(COLOURS)) style.setProperty(`--color-datatype-${type}`, colour);
    }
    canvas.setDirty(true, true);
  },
});
