// Makes elements without a framework; listeners end with the signal of their view.

type Child = Node | string | null | false;
type Attributes = Record<string, string | number | boolean | null>;

export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  setAttributes(element, attributes);
  element.append(...children.filter((child): child is Node | string => Boolean(child)));
  return element;
}

export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: SVGElement[]
): SVGElementTagNameMap[K] {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  setAttributes(element, attributes);
  element.append(...children);
  return element;
}

/** Null and false remove an attribute, true sets it to "". */
function setAttributes(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === false) element.removeAttribute(name);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
}

export function button(
  label: string,
  tooltip: string,
  onClick: (event: MouseEvent) => void,
  signal: AbortSignal,
  attributes: Attributes = {},
): HTMLButtonElement {
  const element = h("button", {
    type: "button",
    class: "es-button",
    title: tooltip,
    ...attributes,
  });
  element.append(label);
  element.addEventListener("click", onClick, { signal });
  return element;
}

export function option(value: string, label: string, isChosen: boolean): HTMLOptionElement {
  return h("option", { value, selected: isChosen }, label);
}

/** A heading that opens and closes its content. */
export function section(title: string, isOpen: boolean, ...children: Child[]): HTMLDetailsElement {
  return h("details", { class: "es-section", open: isOpen }, h("summary", {}, title), ...children);
}

export function drawRgb(
  canvas: HTMLCanvasElement,
  width: number,
  height: number,
  rgb: Uint8Array,
): void {
  // Setting a size, even the same, makes the browser lay out the page again.
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext("2d");
  if (!context || !width || !height) return;
  const pixels = context.createImageData(width, height);
  const { data } = pixels;
  for (let from = 0, to = 0; to < data.length; from += 3, to += 4) {
    data[to] = rgb[from];
    data[to + 1] = rgb[from + 1];
    data[to + 2] = rgb[from + 2];
    data[to + 3] = 255;
  }
  context.putImageData(pixels, 0, 0);
}

/** With separators, as in "12,345". */
export function grouped(value: number): string {
  return value.toLocaleString("en-US");
}
