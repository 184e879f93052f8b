// npm run test:start: the two commands as on a fresh machine. Clones the repository's files, without what was installed
// or built, and runs `npm start` twice side by side in the one clone: it installs, builds, says what to do first, takes
// a shutdown, and starts again with everything still there.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { root } from "./workspace.mjs";

const start_seconds_max = 600;
const stop_seconds_max = 10;

const folder = mkdtempSync(path.join(os.tmpdir(), "weir-start-"));
const clone = path.join(folder, "clone");
let passed = 0;
let failed = 0;

await check("a clone of what is committed and of what is not yet", () => {
  mkdirSync(clone);
  const copy =
    'git ls-files -z --cached --others --exclude-standard | xargs -0 -r tar cf - --ignore-failed-read | tar xf - -C "$0"';
  const { status } = spawnSync("bash", ["-c", copy, clone], {
    cwd: root,
    stdio: ["ignore", "inherit", "ignore"],
  });
  if (status !== 0) throw new Error(`copying ended with ${status}`);
});

const first = launch("first");
const second = launch("second");
let key = "";

await check("npm start, twice side by side, installs, builds and says what to try", async () => {
  const outputs = await Promise.all([first.ready(), second.ready()]);
  for (const output of outputs) {
    if (!/Three things to try/.test(output)) throw new Error(`no three things to try in:\n${output}`);
  }
  key = /keep it\):\s+(weir_secret_\S+)/.exec(outputs[0])?.[1] ?? "";
  if (key === "") throw new Error(`no key in:\n${outputs[0]}`);
});

const headers = () => ({ authorization: `Bearer ${key}`, "content-type": "application/json" });

await check("the demo organization has usage within a minute", async () => {
  const demo = /WEIR_KEY=(weir_\S+)/.exec(first.output())?.[1];
  if (demo === undefined) throw new Error(`no demo key in:\n${first.output()}`);
  const url = `${first.url()}/v1/meters/llm-tokens/query?windowSize=DAY`;
  await until(async () => {
    const response = await fetch(url, { headers: { authorization: `Bearer ${demo}` } });
    return response.ok && (await response.json()).data.length > 0;
  }, 60);
});

await check("the first key sends an event", async () => {
  const body = JSON.stringify({
    id: "1",
    source: "test",
    type: "t",
    subject: "acme",
    specversion: "1.0",
    data: {},
  });
  const response = await fetch(`${first.url()}/v1/events`, { method: "POST", headers: headers(), body });
  if (response.status !== 202) throw new Error(`${response.status} ${await response.text()}`);
});

await check(`SIGTERM ends both within ${stop_seconds_max} s with code 0`, async () => {
  const codes = await Promise.all([first.stop(), second.stop()]);
  if (codes.some((code) => code !== 0)) throw new Error(`codes ${codes.join(", ")}`);
});

const again = launch("first");
await check("started again, everything is still there", async () => {
  await again.ready();
  await until(async () => {
    const response = await fetch(`${again.url()}/v1/events?source=test`, { headers: headers() });
    return response.ok && (await response.json()).events.length === 1;
  }, 30);
  if ((await again.stop()) !== 0) throw new Error("it did not stop");
});

for (const process_ of [first, second, again]) process_.kill();
rmSync(folder, { recursive: true, force: true });
console.log(`\n${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

async function check(name, work) {
  const began = Date.now();
  try {
    await work();
    passed += 1;
    console.log(`ok    ${name} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL  ${name}: ${error.message}`);
  }
}

function launch(name) {
  const child = spawn("npm", ["start"], {
    cwd: clone,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      WEIR_DATA_DIR: path.join(folder, name),
      WEIR_HTTP_PORT: "0",
      WEIR_OTLP_HTTP_PORT: "0",
      WEIR_OTLP_GRPC_PORT: "0",
      WEIR_DEMO: "on",
      WEIR_BOOTSTRAP_KEY: "",
    },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  const gone = once(child, "exit");
  const url = () => /Weir is ready at (http:\/\/\S+)/.exec(output)?.[1];
  return {
    output: () => output,
    url,
    async ready() {
      await until(() => {
        if (child.exitCode !== null) throw new Error(`npm start ended with ${child.exitCode}:\n${output}`);
        return url() !== undefined && /playground is at/.test(output);
      }, start_seconds_max);
      return output;
    },
    async stop() {
      child.kill("SIGTERM");
      const late = setTimeout(() => child.kill("SIGKILL"), stop_seconds_max * 1000);
      const [code] = await gone;
      clearTimeout(late);
      return code;
    },
    kill() {
      try {
        process.kill(-child.pid, "SIGKILL");
      } catch {
        // It is gone.
      }
    },
  };
}

async function until(wished, seconds_max) {
  const deadline = Date.now() + seconds_max * 1000;
  while (!(await wished())) {
    if (Date.now() > deadline) throw new Error(`not within ${seconds_max} s`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
