// Shows at once what a node of this pack says went wrong. Newer front ends keep that sentence in a panel, behind a
// note that only says that the node failed; older ones show it in a dialog of their own.
import { app } from "/scripts/app.js";
import { api } from "/scripts/api.js";

const ID = "anytobokeh.error";

function titleOf(type) {
  return window.LiteGraph.registered_node_types[type]?.title ?? type;
}

// Notes stand where the canvas ends on the right. An app has none, and they would cover the form beside its results.
function keepFormFree() {
  const results = document.querySelector('[data-testid="linear-center-panel"]');
  results?.style.setProperty("anchor-name", "--graph-canvas-panel");
}

app.registerExtension({
  name: "anytobokeh.ErrorNotes",
  setup() {
    const toast = app.extensionManager?.toast;
    // Notes that later ones replace came with the panel.
    if (!toast?.error || !toast.dismiss) return;
    api.addEventListener("execution_error", ({ detail }) => {
      if (!detail.node_type?.startsWith("AnyToBokeh")) return;
      keepFormFree();
      toast.error(titleOf(detail.node_type), { id: ID, description: detail.exception_message.trim() });
    });
    api.addEventListener("execution_start", () => toast.dismiss(ID));
  },
});
