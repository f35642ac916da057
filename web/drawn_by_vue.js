// Tells when Vue has drawn a node of ours, or some of it anew.
import { app } from "/scripts/app.js";

const listeners = [];

function tell(element) {
  const node = app.canvas?.graph?.getNodeById(element.dataset.nodeId);
  if (node?.comfyClass?.startsWith("AnyToBokeh")) listeners.forEach((listener) => listener(element, node));
}

// Calls with each drawn element and its node.
export function whenDrawn(listener) {
  listeners.push(listener);
  if (listeners.length > 1) return;
  new MutationObserver((records) => {
    const nodes = new Set();
    for (const element of records.flatMap((record) => [...record.addedNodes])) {
      if (!(element instanceof Element)) continue;
      const around = element.closest(".lg-node");
      for (const node of around ? [around] : element.querySelectorAll(".lg-node")) nodes.add(node);
    }
    nodes.forEach(tell);
  }).observe(document.body, { childList: true, subtree: true });
}
