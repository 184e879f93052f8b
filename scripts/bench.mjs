// npm run bench: builds, then measures every published number (bench/src/main.ts says which).
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

function run(args) {
  const { status, signal } = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? (signal === null ? 1 : 130));
}

run(["scripts/build.mjs"]);
run(["node_modules/typescript/bin/tsc", "--build", "bench"]);
run(["bench/dist/main.js", ...process.argv.slice(2)]);
