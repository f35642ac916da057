// The script as the value of a widget: one text, which is left as it is where it cannot be read.

import { readScript, writeScript } from "./script.js";

export class ScriptText {
  features = { kinds: true, transitions: true, strength: true };
  value = "";

  constructor(node) {
    this.node = node;
  }

  hasMask() {
    return this.node.inputs?.some((input) => input.name === "mask" && input.link !== null) ?? false;
  }

  read() {
    return readScript(this.value);
  }

  write(script) {
    this.value = writeScript(script);
    this.onWritten?.(this.value);
  }

  restart() {
    this.value = "";
    this.onWritten?.(this.value);
  }
}
