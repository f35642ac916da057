// Elements of a page in one call: a tag with properties, attributes and what it holds.

export function element(tag, { className, text, on = {}, ...attributes } = {}, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null) made.setAttribute(name, value);
  }
  for (const [name, listener] of Object.entries(on)) made.addEventListener(name, listener);
  made.append(...children);
  return made;
}

// A drag that keeps the pointer, also where a front end stops pointer events on their way up.
// on: { start(event) -> false to refuse, move(event), end(event, cancelled) }; returns { cancel() }.
export function draggable(target, on) {
  let pointer = null;
  const finish = (event, cancelled) => {
    if (event.pointerId !== pointer) return;
    pointer = null;
    on.end?.(event, cancelled);
  };
  target.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || pointer !== null || !event.isPrimary || on.start(event) === false) return;
    pointer = event.pointerId;
    target.setPointerCapture(pointer);
    event.preventDefault();
    event.stopPropagation();
  });
  target.addEventListener("pointermove", (event) => {
    if (event.pointerId === pointer) on.move?.(event);
  });
  target.addEventListener("pointerup", (event) => finish(event, false));
  target.addEventListener("pointercancel", (event) => finish(event, true));
  return { cancel: () => finish({ pointerId: pointer }, true) };
}

// Two fingers. on: { start(), move(ratio of their distance to that at the start), end(cancelled) }
export function pinchable(target, on) {
  const fingers = new Map();
  let begun = null;
  const apart = () => {
    const [one, other] = [...fingers.values()];
    return Math.max(1, Math.hypot(one.x - other.x, one.y - other.y));
  };
  const lift = (event, cancelled) => {
    if (!fingers.delete(event.pointerId) || begun === null) return;
    begun = null;
    on.end(cancelled);
  };
  target.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "touch" || fingers.size > 1) return;
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    target.setPointerCapture(event.pointerId);
    event.stopPropagation();
    if (fingers.size < 2) return;
    on.start();
    begun = apart();
  });
  target.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId)) return;
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (begun !== null) on.move(apart() / begun);
  });
  target.addEventListener("pointerup", (event) => lift(event, false));
  target.addEventListener("pointercancel", (event) => lift(event, true));
}
