// What keys do while a viewfinder has the keyboard.

const STEPS = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 };
const FIELDS = ["INPUT", "SELECT", "BUTTON"];

// on: { step(by), first(), last(), play(), remove() }; returns a listener.
export function keyListener(on) {
  return (event) => {
    // What is typed into a field is the field's.
    if (FIELDS.includes(event.target.tagName) && event.key !== "Escape") {
      event.stopPropagation();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in STEPS) on.step(STEPS[event.key]);
    else if (event.key === "Home") on.first();
    else if (event.key === "End") on.last();
    else if (event.key === " ") on.play();
    else if (event.key === "Delete" || event.key === "Backspace") on.remove();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
}
