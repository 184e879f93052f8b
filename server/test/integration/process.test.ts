import { afterAll, beforeAll, expect, test } from "vitest";
import { temporaryFolder } from "../support/temporary-folder.js";
import { startWeirProcess, type WeirProcess } from "../support/weir-process.js";

// The built program, as automation starts it: what it says and how it ends when it cannot start.
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let other: Awaited<ReturnType<typeof temporaryFolder>>;
let weir: WeirProcess;

beforeAll(async () => {
  folder = await temporaryFolder("process");
  other = await temporaryFolder("process-other");
  weir = await startWeirProcess(folder.dir);
});
afterAll(async () => {
  await weir.stop();
  await folder.remove();
  await other.remove();
});

const failureOf = (dir: string, env: Record<string, string>) =>
  startWeirProcess(dir, env).then(
    async (started) => {
      await started.stop();
      return "it started";
    },
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );

test("a second process on a data directory is refused, with who has it and what to do", async () => {
  const failure = await failureOf(folder.dir, {});
  expect(failure).toContain("ended with 1 before it was ready");
  expect(failure).toContain(`${folder.dir} is in use by process ${weir.child.pid}`);
  expect(failure).toContain("WEIR_DATA_DIR");
  expect(failure).not.toMatch(/\n\s+at /);
  expect((await weir.fetch("/healthz")).status).toBe(200);
});

test("a port that is taken is told plainly, and nothing is left running", async () => {
  const { port } = new URL(weir.url);
  const failure = await failureOf(other.dir, { WEIR_HTTP_PORT: port });
  expect(failure).toContain("ended with 1 before it was ready");
  expect(failure).toContain(`Weir cannot listen on 127.0.0.1:${port}: another program listens there`);
  expect(failure).not.toMatch(/\n\s+at /);
  // The same folder starts at once: no lock and no PostgreSQL is in the way.
  const again = await startWeirProcess(other.dir);
  expect(await again.stop()).toBe(0);
});

test("a bad environment ends with 2 and a line for each fault, before anything is made", async () => {
  const failure = await failureOf(other.dir, { WEIR_HTTP_PORT: "99999", WEIR_DEMO: "maybe" });
  expect(failure).toContain("ended with 2 before it was ready");
  expect(failure).toContain('WEIR_HTTP_PORT="99999" must be a whole number from 0 to 65535');
  expect(failure).toContain('WEIR_DEMO="maybe" must be one of on, off');
});
