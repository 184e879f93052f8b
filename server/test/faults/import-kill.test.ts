// Weir is killed while a workflow takes an uploaded file in: every event is counted once, and the import comes to its end.
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { startWeirProcess, type WeirProcess } from "../support/weir-process.js";

const kills = process.env["WEIR_SOAK"] === undefined ? 5 : 20;
const pieces = kills + 3;
const rows_per_piece = 5_000;
const rows = pieces * rows_per_piece;
const folders: string[] = [];
let server: WeirProcess | undefined;

afterAll(async () => {
  await server?.stop();
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

interface Progress {
  readonly status: string;
  readonly rowsDone: number;
  readonly accepted: number;
  readonly duplicates: number;
  readonly rejected: number;
  readonly file: { readonly run: string };
}

const mapping = new URLSearchParams({ name: "f", type: "t", time: "{at}", subject: "{who}", data: "n={n}" });

test(`kill -9 at ${kills} moments of an import: each event is counted once, each bad line named, and the file gone`, async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "weir-import-kill-"));
  folders.push(folder);
  const dir = path.join(folder, "data");
  server = await startWeirProcess(dir);
  const meter = { slug: "n", eventType: "t", aggregation: "SUM", valueProperty: "$.n" };
  await server.fetch("/v1/meters", { method: "POST", body: JSON.stringify(meter) });
  // Some 420 bytes each, 5,000 of which are a piece; each 1,000th is bad.
  const note = "x".repeat(380);
  const lines = Array.from({ length: rows }, (_, row) => {
    const at = row % 1_000 === 500 ? "never" : "2023-05-01 00:00:00";
    return `${at},c${row % 7},${row % 10},${note}\n`;
  });
  const bad = rows / 1_000;
  const expected = lines.reduce((sum, _line, row) => (row % 1_000 === 500 ? sum : sum + (row % 10)), 0);
  const uploaded = await server.fetch(`/v1/imports?${mapping.toString()}`, {
    method: "POST",
    headers: { "content-type": "text/csv" },
    body: `at,who,n,note\n${lines.join("")}`,
  });
  expect(uploaded.status).toBe(202);

  const progress = async (): Promise<Progress> => {
    for (;;) {
      const answer = await server?.fetch("/v1/imports/f");
      if (answer?.status === 200) return (await answer.json()) as Progress;
      // A busy machine sheds load.
      expect(answer?.status).toBe(503);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  };
  let killedWhileRunning = 0;
  for (let kill = 0; kill < kills; kill += 1) {
    // Behind at least one piece more each time, at any moment of the next.
    const { rowsDone } = await progress();
    for (
      let now = await progress();
      now.status === "running" && now.rowsDone <= rowsDone;
      now = await progress()
    )
      await new Promise((resolve) => setTimeout(resolve, 20));
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 300));
    if ((await progress()).status === "running") killedWhileRunning += 1;
    await server.kill();
    server = await startWeirProcess(dir);
  }
  expect(killedWhileRunning).toBeGreaterThan(0);
  let done = await progress();
  for (; done.status === "running"; done = await progress())
    await new Promise((resolve) => setTimeout(resolve, 100));
  expect(done).toMatchObject({ status: "completed", rowsDone: rows, rejected: bad });
  expect(done.accepted + done.duplicates).toBe(rows - bad);

  for (let value: string | undefined, attempt = 0; value !== String(expected); attempt += 1) {
    const answer = await server.fetch("/v1/meters/n/query?from=2023-01-01T00:00:00Z");
    value = ((await answer.json()) as { data?: { value: string }[] }).data?.[0]?.value;
    if (attempt === 100) expect(value).toBe(String(expected));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const organizations = await readdir(path.join(dir, "imports"));
  for (const each of organizations) expect(await readdir(path.join(dir, "imports", each))).toEqual([]);
}, 400_000);
