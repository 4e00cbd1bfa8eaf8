// Bundles the widget's page half into ../static: one script, one style sheet and the notice of what
// is bundled, no request at run time. With --check it only says whether the committed files are what the sources give.
import { readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const STATIC = new URL("../static/", import.meta.url);
const options = { bundle: true, minify: true, write: false, legalComments: "none" };
const [script, style] = await Promise.all([
  build({ ...options, entryPoints: ["src/index.ts"], format: "esm", target: "es2022" }),
  build({ ...options, entryPoints: ["src/style.css"] }),
]);
// The bundle holds uPlot, whose licence asks for its notice to go along.
const made = {
  "uPlot-LICENSE.txt": readFileSync(new URL("node_modules/uplot/LICENSE", import.meta.url)),
  "widget.js": script.outputFiles[0].contents,
  "widget.css": style.outputFiles[0].contents,
};

for (const [name, contents] of Object.entries(made)) {
  const path = new URL(name, STATIC);
  if (!process.argv.includes("--check")) {
    writeFileSync(path, contents);
  } else if (!readFileSync(path).equals(contents)) {
    console.error(`static/${name} is not what the sources give: run "npm run build".`);
    process.exitCode = 1;
  }
  console.log(`${name}: ${(contents.length / 1024).toFixed(1)} kB`);
}
