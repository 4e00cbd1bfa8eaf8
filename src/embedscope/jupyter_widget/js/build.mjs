// Bundles the code of the page into ../static: one script, one style sheet and the licence of
// uPlot; the page loads nothing else. With --check it only compares the committed files with the
// sources.
import { readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const STATIC = new URL("../static/", import.meta.url);
const options = { bundle: true, minify: true, write: false, legalComments: "none" };
const [script, style] = await Promise.all([
  build({ ...options, entryPoints: ["src/index.ts"], format: "esm", target: "es2022" }),
  build({ ...options, entryPoints: ["src/style.css"] }),
]);
// The bundle contains uPlot, whose licence requires its notice.
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
    console.error(`static/${name} differs from the sources: run "npm run build".`);
    process.exitCode = 1;
  }
  console.log(`${name}: ${(contents.length / 1024).toFixed(1)} kB`);
}
