// Says of what is shown on a node that it moves. Vue nodes up to 1.3x take it for a picture where no video goes in.
import { app } from "/scripts/app.js";

app.registerExtension({
  name: "anytobokeh.MovingPreviews",
  nodeCreated(node) {
    if (node.comfyClass === "AnyToBokehFocusPreview") node.previewMediaType = "video";
  },
});
