// Builds bposite/static/vendor from node_modules: what browsers get of other people's work, with their licences.
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync, existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..");
const modules = join(root, "node_modules");
const vendor = join(here, "vendor");

rmSync(vendor, { recursive: true, force: true });
mkdirSync(vendor, { recursive: true });

const files = {
  "idb/build/index.js": "idb.js",
  "uplot/dist/uPlot.esm.js": "uplot.js",
  "uplot/dist/uPlot.min.css": "uplot.css",
  "zxing-wasm/dist/es/reader/index.js": "zxing/reader/index.js",
  "zxing-wasm/dist/es/share.js": "zxing/share.js",
  "zxing-wasm/dist/reader/zxing_reader.wasm": "zxing/zxing_reader.wasm",
};
for (const [from, to] of Object.entries(files)) {
  mkdirSync(dirname(join(vendor, to)), { recursive: true });
  cpSync(join(modules, from), join(vendor, to));
}

// Icons: one sprite of the names that templates and scripts use (bposite/static/icons.txt).
const names = readFileSync(join(here, "icons.txt"), "utf8").split(/\s+/).filter(Boolean);
const symbols = names.map((name) => {
  const svg = readFileSync(join(modules, "lucide-static", "icons", `${name}.svg`), "utf8");
  const inner = svg.replace(/<!--[^]*?-->/g, "").replace(/<svg[^]*?>/, "").replace("</svg>", "").trim().replace(/\s*\n\s*/g, "");
  return `<symbol id="${name}" viewBox="0 0 24 24">${inner}</symbol>`;
});
writeFileSync(join(vendor, "icons.svg"), `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join("\n")}\n</svg>\n`);

const notices = [];
for (const name of ["idb", "lucide-static", "uplot", "zxing-wasm"]) {
  const folder = join(modules, name);
  const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  notices.push(`${name} ${version} (${license})\n\n${file ? readFileSync(join(folder, file), "utf8") : ""}`);
}
writeFileSync(join(vendor, "NOTICES.txt"), notices.join("\n----\n\n"));
if (!existsSync(join(vendor, "icons.svg"))) process.exit(1);
console.log(`assets: ${Object.keys(files).length} files, ${names.length} icons`);
