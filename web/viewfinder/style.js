// How a viewfinder looks: the front end's own colours, light or dark.

const STYLE = `
.atb-viewfinder {
  --atb-text: var(--input-text, #ddd); --atb-faint: var(--descrip-text, #999);
  --atb-field: var(--comfy-input-bg, #222); --atb-line: var(--border-color, #4e4e4e);
  --atb-error: var(--error-text, #ff4444); --atb-mark: #ffd24a; --atb-strength: #6fc3ff;
  box-sizing: border-box; display: flex; flex-direction: column; gap: 4px; width: 100%; height: 100%;
  min-width: 0; padding: 2px; color: var(--atb-text); font: 12px/1.35 system-ui, sans-serif;
  outline: none; user-select: none; -webkit-user-select: none; overflow: hidden; pointer-events: auto;
}
.atb-viewfinder:focus-visible { outline: 2px solid var(--atb-mark); outline-offset: -2px; }
.atb-viewfinder * { box-sizing: border-box; }
.atb-stage {
  position: relative; flex: 1 1 0; min-height: 120px; background: #000; border-radius: 4px; overflow: hidden;
}
.atb-frame { position: absolute; touch-action: none; cursor: crosshair; }
.atb-frame[hidden] { display: none; }
.atb-frame canvas { position: absolute; inset: 0; width: 100%; height: 100%; display: block; }
.atb-message {
  position: absolute; inset: 0; display: flex; align-items: center; justify-content: center; padding: 16px;
  text-align: center; color: #ccc; font-size: 13px; pointer-events: none;
}
.atb-message[hidden] { display: none; }
.atb-sample { position: absolute; pointer-events: none; transform: translate(-50%, -50%); }
.atb-sample[hidden] { display: none; }
.atb-sample i {
  display: block; min-width: 22px; min-height: 22px; border: 2px solid var(--atb-mark); border-radius: 3px;
  box-shadow: 0 0 0 1px #0009, inset 0 0 0 1px #0009;
}
.atb-sample.atb-held i { border-style: dashed; }
.atb-sample b {
  position: absolute; left: 50%; top: 100%; transform: translate(-50%, 3px); padding: 0 4px; white-space: nowrap;
  font-weight: 500; color: #fff; background: #000a; border-radius: 3px; font-variant-numeric: tabular-nums;
}
.atb-sample.atb-low b { top: auto; bottom: 100%; transform: translate(-50%, -3px); }
.atb-wipe {
  position: absolute; top: 0; bottom: 0; width: 20px; margin-left: -10px; padding: 0; border: 0; cursor: ew-resize;
  touch-action: none; background: linear-gradient(90deg, transparent 9px, #fff 9px, #fff 11px, transparent 11px);
}
.atb-wipe[hidden] { display: none; }
.atb-status { min-height: 1.35em; color: var(--atb-faint); font-variant-numeric: tabular-nums; }
.atb-status.atb-bad { color: var(--atb-error); }
.atb-status button { margin-left: 6px; }
.atb-notes { min-height: 1.35em; max-height: 2.7em; overflow: hidden; }
.atb-row { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 6px; min-width: 0; }
.atb-viewfinder > .atb-row { max-width: 640px; }
.atb-row > label { display: inline-flex; align-items: center; gap: 4px; min-width: 0; }
.atb-grow { flex: 1 1 80px; min-width: 60px; }
.atb-viewfinder button:not(.atb-key, .atb-wipe), .atb-viewfinder select, .atb-viewfinder input[type="number"] {
  height: 24px; padding: 0 7px; color: inherit; background: var(--atb-field); border: 1px solid var(--atb-line);
  border-radius: 4px; font: inherit;
}
.atb-viewfinder button { cursor: pointer; }
.atb-viewfinder input[type="number"] { width: 58px; padding: 0 2px 0 6px; }
.atb-viewfinder input[type="range"] { width: 100%; margin: 0; accent-color: var(--atb-strength); }
.atb-viewfinder button[aria-pressed="true"] { border-color: var(--atb-mark); box-shadow: inset 0 -3px var(--atb-mark); }
.atb-viewfinder :disabled { opacity: 0.45; cursor: default; }
.atb-viewfinder :is(button, select, input):focus-visible { outline: 2px solid var(--atb-mark); outline-offset: 1px; }
.atb-frame-number { font-variant-numeric: tabular-nums; white-space: nowrap; margin-right: auto; }
.atb-steady { min-height: 24px; }
.atb-way { margin-right: auto; color: var(--atb-faint); }
.atb-timeline {
  position: relative; height: 46px; margin: 0 9px; cursor: pointer; touch-action: none; flex: none;
}
.atb-timeline svg { position: absolute; inset: 0; width: 100%; height: 100%; overflow: visible; }
.atb-lane { position: absolute; left: -9px; right: -9px; border-radius: 4px; background: rgb(128 128 128 / 0.16); }
.atb-lane-focus { top: 0; height: 26px; }
.atb-lane-strength { top: 29px; height: 17px; }
.atb-playhead { position: absolute; top: 0; bottom: 0; width: 2px; margin-left: -1px; background: var(--atb-text); pointer-events: none; }
.atb-key {
  position: absolute; width: 20px; height: 26px; margin-left: -10px; padding: 0; border: 0; background: none;
  touch-action: none; cursor: ew-resize;
}
.atb-key::after {
  content: ""; position: absolute; left: 50%; top: 50%; width: 11px; height: 11px; margin: -6px 0 0 -6px;
  transform: rotate(45deg); background: var(--atb-mark); border: 1px solid #000a;
}
.atb-key.atb-of-strength { top: 29px; height: 17px; }
.atb-key.atb-of-strength::after { background: var(--atb-strength); border-radius: 50%; width: 9px; height: 9px; margin: -5px 0 0 -5px; }
.atb-key.atb-chosen::after { outline: 2px solid var(--atb-text); outline-offset: 1px; }
.atb-key.atb-late::after { background: var(--atb-error); }
`;

// Travels inside the viewfinder, and so to wherever a front end shows it.
export function styleElement() {
  const style = document.createElement("style");
  style.textContent = STYLE;
  return style;
}
