// Elements without a framework: h("button", {class: "button", onclick: go}, "Go").
let icons = "";

export function useIcons(address) { icons = address; }

export function h(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "value" || key === "checked") node[key] = value;
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export function svg(name, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children.flat());
  return node;
}

export function icon(name) {
  return svg("svg", { class: "icon", "aria-hidden": "true" }, svg("use", { href: `${icons}#${name}` }));
}

export function badge(status, word) {
  const names = { good: "check", refused: "ban", attention: "triangle-alert", alarm: "siren", unknown: "circle-help" };
  return h("span", { class: "badge", "data-status": status }, icon(names[status]), word);
}

export const SEVERITY = { S1: ["alarm", "S1 critical"], S2: ["refused", "S2 major"], S3: ["attention", "S3 minor"], S4: ["unknown", "S4 note"] };
