// npm run cases -- rating [FILE] | settlement [FOLDER]: runs cases of other systems through Weir's own code.
import { spawnSync } from "node:child_process";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { prepare, root } from "./workspace.mjs";

const usage = `npm run cases -- rating [FILE]
npm run cases -- settlement [FOLDER]

  FILE    JSON: a list of { id, model, params, quantity, expected, note? }, numbers as text;
          ../shared/data/billing/rating-cases.json when left out
  FOLDER  settlement files, at any depth; ../shared/data/settlement when left out

Of rating, prints the cases that fail, with both amounts, and those that cannot be expressed, with the reason. Of settlement, prints
for every file its format, counts, totals, checks and refusals; a file passes when it is read and agrees with what lies beside it
as NAME_expected.json, or when it is refused and its name says so (NAME.wrong.xml). Exit code 1 when one fails or nothing can be read.
`;

const shared = path.join(root, "..", "shared", "data");
const defaults = {
  rating: path.join(shared, "billing", "rating-cases.json"),
  settlement: path.join(shared, "settlement"),
};

const [kind, file = defaults[kind], ...rest] = process.argv.slice(2);
if (!Object.hasOwn(defaults, kind) || rest.length > 0) {
  console.error(usage);
  process.exit(2);
}
prepare();
// npm starts scripts in the package's folder; the path is named from where npm was called.
const given = path.resolve(process.env.INIT_CWD ?? process.cwd(), file);
const main = path.join(root, "server", "test", "cases", "main.ts");
const { status } = spawnSync(
  process.execPath,
  [path.join(root, "server", "test", "integration", "run-typescript.mjs"), kind, given],
  {
    cwd: root,
    input: `import(${JSON.stringify(pathToFileURL(main).href)})`,
    stdio: ["pipe", "inherit", "inherit"],
  },
);
process.exit(status ?? 1);
