import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { createLog, type LogLevel } from "./log.js";

function recorded(level: LogLevel, isTTY: boolean) {
  const stream = Object.assign(new PassThrough(), { isTTY });
  const log = createLog(level, stream as unknown as NodeJS.WriteStream);
  return { log, text: () => String(stream.read() ?? "") };
}

test("programs get one JSON object a line, which no field can overwrite", () => {
  const { log, text } = recorded("info", false);
  log.info("batch inserted", { rows: 10n, level: "error", error: new RangeError("no") });
  const line = JSON.parse(text()) as Record<string, unknown>;
  expect(line).toMatchObject({ level: "info", message: "batch inserted", rows: "10" });
  expect(line["error"]).toMatch(/^RangeError: no/);
});

test("people get a time, a level, the message and the fields", () => {
  const { log, text } = recorded("info", true);
  log.warn("disk nearly full", { free: 12 });
  expect(text()).toMatch(/^\d\d:\d\d:\d\d warn {2}disk nearly full free=12\n$/);
});

test("what is below the level is not written", () => {
  const { log, text } = recorded("warn", false);
  log.debug("a");
  log.info("b");
  expect(text()).toBe("");
  log.error("c");
  expect(text()).toContain('"c"');
});

test("a field that JSON cannot hold does not make the log fail", () => {
  const { log, text } = recorded("info", false);
  const circle: Record<string, unknown> = {};
  circle["self"] = circle;
  expect(() => log.info("round", { circle })).not.toThrow();
  expect(text()).toContain("round");
});
