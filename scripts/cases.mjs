// npm run cases -- rating [FILE]: runs a file of rating cases through Weir's own code.
import { spawnSync } from "node:child_process";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { prepare, root } from "./workspace.mjs";

const usage = `npm run cases -- rating [FILE]

  FILE  JSON: a list of { id, model, params, quantity, expected, note? }, numbers as text;
        ../shared/data/billing/rating-cases.json when left out

Prints the cases that fail, with both amounts, and those that cannot be expressed, with the reason. Exit code 1 when
one fails or the file cannot be read.
`;

const [kind, file = path.join(root, "..", "shared", "data", "billing", "rating-cases.json"), ...rest] =
  process.argv.slice(2);
if (kind !== "rating" || rest.length > 0) {
  console.error(usage);
  process.exit(2);
}
prepare();
// npm starts scripts in the package's folder; the file is named from where npm was called.
const given = path.resolve(process.env.INIT_CWD ?? process.cwd(), file);
const main = path.join(root, "server", "test", "cases", "main.ts");
const { status } = spawnSync(
  process.execPath,
  [path.join(root, "server", "test", "integration", "run-typescript.mjs"), given],
  {
    cwd: root,
    input: `import(${JSON.stringify(pathToFileURL(main).href)})`,
    stdio: ["pipe", "inherit", "inherit"],
  },
);
process.exit(status ?? 1);
