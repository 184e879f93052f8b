// npm run schema: prints the GraphQL schema to server/schema.graphql. --check compares instead, and tells a breaking
// change from a mere difference.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { prepare, root } from "./workspace.mjs";

prepare();
const { buildSchema, findBreakingChanges, lexicographicSortSchema, printSchema } = await import("graphql");
const { schema } = await import(
  pathToFileURL(path.join(root, "server", "dist", "graphql", "schema.js")).href
);
const file = path.join(root, "server", "schema.graphql");
const printed = `${printSchema(lexicographicSortSchema(schema))}\n`;

if (!process.argv.includes("--check")) {
  writeFileSync(file, printed);
} else {
  const committed = existsSync(file) ? readFileSync(file, "utf8") : "";
  if (committed !== printed) {
    const breaking = committed === "" ? [] : findBreakingChanges(buildSchema(committed), schema);
    for (const change of breaking) console.error(`breaking: ${change.description}`);
    console.error(
      "server/schema.graphql is not what the code says. Run npm run schema and commit it, if the change is meant.",
    );
    process.exit(1);
  }
}
process.exit(0);
