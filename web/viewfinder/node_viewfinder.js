// A viewfinder on a node of the graph: finds its clip upstream, takes what runs leave, and tells the front end of
// changes.

import { clipOf } from "./clip_source.js";
import { readScript } from "./script.js";
import { Strip } from "./strip.js";
import { StillClip, VideoClip } from "./video_clip.js";
import { Viewfinder } from "./viewfinder.js";

const LOOK_AGAIN_MS = 500;
const CLIP_INPUTS = ["frames", "disparity"];
// Undo makes a node anew. By place and clip: the frame where its viewfinder stood. By files: the clip of a run.
const framesSeen = new Map();
const clipsOfRuns = new Map();

export class NodeViewfinder {
  constructor(node, model, texts, { app, api }) {
    Object.assign(this, { node, model, app, api });
    this.viewfinder = new Viewfinder(texts, model);
    this.element = this.viewfinder.element;
    this.clipKey = null;
    this.reportSeen = null;
    model.onWritten = (value) => this.written(value);
    // In Vue nodes and in app mode nothing gives an element its height.
    new ResizeObserver(() => this.takeRoom()).observe(this.element);
    this.viewfinder.onShaped = () => this.takeRoom();
  }

  watch(widget) {
    this.widget = widget;
    const { node } = this;
    this.chain("onExecuted", (output) => this.ran(output));
    this.chain("onRemoved", () => this.close());
    this.chain("onConfigure", () => this.viewfinder.reload());
    this.onError = ({ detail }) => {
      const id = String(detail?.node_id ?? "").split(":").at(-1);
      if (id === String(node.id) && detail.node_type === node.comfyClass) {
        this.viewfinder.fail(detail.exception_message);
      }
    };
    this.api.addEventListener("execution_error", this.onError);
    this.timer = setInterval(() => this.look(), LOOK_AGAIN_MS);
  }

  chain(name, after) {
    const before = this.node[name];
    this.node[name] = function (...given) {
      const result = before?.apply(this, given);
      after(...given);
      return result;
    };
  }

  get place() {
    const { graph, id } = this.node;
    return !graph || graph.isRootGraph || graph === this.app.graph?.rootGraph || !graph.id || graph === this.app.graph
      ? String(id)
      : `${graph.id}:${id}`;
  }

  urlOf = (file) => this.api.apiURL(`/view?${new URLSearchParams(file)}`);

  // --- what is upstream, and what the last run left ---

  look() {
    if (!this.node.graph || document.hidden) return;
    const found = clipOf(this.node, CLIP_INPUTS, this.urlOf);
    if (found.key !== this.clipKey) this.show(found);
    const output = this.app.nodeOutputs?.[this.place];
    if (output && this.reportSeen === null) this.take(output, null);
    if (this.keyOfRun !== undefined) this.viewfinder.setStale(this.keyOfRun !== found.key);
    const seen = this.model.seen?.();
    if (seen !== this.seen) {
      this.seen = seen;
      this.viewfinder.reload();
    }
  }

  async show(found) {
    this.clipKey = found.key;
    const { viewfinder } = this;
    if (found.kind === "none") return viewfinder.setClip(null, { key: "nothing" });
    if (found.kind === "unseen") return viewfinder.setClip(null, { key: "unseen", values: { title: found.title } });
    viewfinder.setClip(null, { key: "loading" });
    try {
      const clip = await (found.kind === "image" ? StillClip : VideoClip).open(found.url);
      if (this.clipKey !== found.key) return clip.close();
      clip.limit?.(found);
      viewfinder.setClip(clip);
      viewfinder.seek(framesSeen.get(`${this.place} ${found.key}`) ?? 0);
    } catch {
      // The player says no more than that it cannot.
      if (this.clipKey === found.key) viewfinder.setClip(null, { key: "unplayable" });
    }
    return undefined;
  }

  ran(output) {
    this.take(output, clipOf(this.node, CLIP_INPUTS, this.urlOf).key);
  }

  take(output, key) {
    const report = output?.any_to_bokeh_viewfinder?.[0];
    if (!report) return;
    this.reportSeen = report;
    const files = report.disparity.map((file) => file.filename).join();
    if (key) clipsOfRuns.set(files, key);
    this.keyOfRun = clipsOfRuns.get(files);
    const run = this.model.state ? this.runOfWidgets(report) : this.runOfScript(report);
    this.viewfinder.setRun(new Strip(report, this.urlOf), run);
  }

  runOfScript(report) {
    const { script } = readScript(report.script);
    const focus = JSON.stringify(script.focus);
    return { ...report, script, isOf: (other) => JSON.stringify(other.focus) === focus };
  }

  runOfWidgets(report) {
    const state = JSON.stringify(JSON.parse(report.state));
    return { ...report, script: null, isOf: () => this.model.state() === state };
  }

  // --- what the front end is told ---

  written(value) {
    framesSeen.set(`${this.place} ${this.clipKey}`, this.viewfinder.frame);
    this.seen = this.model.seen?.();
    if (value !== undefined && this.widget) {
      this.widget.value = value;
      // Vue keeps a copy of its own, which follows the callback alone.
      this.widget.callback?.(value);
    }
    this.node.graph?.setDirtyCanvas?.(true, true);
    const tracker = this.app.extensionManager?.workflow?.activeWorkflow?.changeTracker;
    (tracker?.captureCanvasState ?? tracker?.checkState)?.call(tracker);
  }

  takeRoom() {
    const onCanvas = Boolean(this.element.closest(".dom-widget"));
    this.element.style.minHeight = onCanvas ? "" : `${this.viewfinder.wantedHeight()}px`;
  }

  close() {
    clearInterval(this.timer);
    this.api.removeEventListener("execution_error", this.onError);
    this.viewfinder.close();
  }
}
