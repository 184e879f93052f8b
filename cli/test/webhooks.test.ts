import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { verifyWebhook } from "@weir/sdk";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startWebhookReceiver, type WebhookReceiver } from "../../server/test/support/webhook-receiver.js";
import { startWeirProcess, type WeirProcess } from "../../server/test/support/weir-process.js";
import { weirCommand } from "./support/weir-command.js";

let folder: string;
let server: WeirProcess;
let receiver: WebhookReceiver;
let weir: ReturnType<typeof weirCommand>["weir"];
let json: ReturnType<typeof weirCommand>["json"];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "weir-cli-webhooks-"));
  server = await startWeirProcess(path.join(folder, "data"), { WEIR_WEBHOOKS_ALLOW_PRIVATE: "on" });
  receiver = await startWebhookReceiver(() => ({ status: 200, body: "thanks" }));
  ({ weir, json } = weirCommand(server.url, server.key));
});
afterAll(async () => {
  await server?.stop();
  await receiver?.close();
  await rm(folder, { recursive: true, force: true });
});

test("an endpoint is made, tested, looked at, sent to again, switched off and on, and deleted", async () => {
  expect((await weir("webhooks", "endpoints")).stdout).toMatch(/No endpoints\. Add one/);
  expect((await weir("webhooks", "events")).stdout).toMatch(/invoice\.finalized\s+An invoice was made final/);
  expect(await weir("webhooks", "create", receiver.url)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("--events"),
  });
  expect(await weir("webhooks", "create", receiver.url, "--events", "nope.nope")).toMatchObject({
    code: 3,
    stderr: expect.stringContaining("is no event type"),
  });
  const { endpoint, secret } = await json<{ endpoint: { id: string }; secret: string }>(
    "webhooks",
    "create",
    receiver.url,
    "--events",
    "invoice.*,credit_note.issued",
    "--description",
    "books",
    "--rate",
    "50",
  );
  const { id } = endpoint;
  const tested = await weir("webhooks", "test", id);
  expect(tested).toMatchObject({ code: 0, stdout: expect.stringMatching(/succeeded[\s\S]*200\s+thanks/) });
  const { body, headers } = receiver.received[0]!;
  expect(await verifyWebhook({ body, headers, secret })).toMatchObject({ type: "webhook.test" });
  expect((await weir("webhooks", "secret", id)).stdout.trim()).toBe(secret);
  expect((await weir("webhooks", "endpoints")).stdout).toMatch(
    /invoice\.\*,credit_note\.issued\s+enabled\s+closed\s+books/,
  );
  expect((await weir("webhooks", "update", id, "--events", "*")).stdout).toMatch(
    /events +\*\n[\s\S]*per second +50/,
  );
  const rotated = await weir("webhooks", "rotate", id, "--overlap-hours", "2");
  expect(rotated.stdout).toMatch(/old secret signs too until 2[\s\S]*whsec_/);

  const [delivery] = await json<{ id: string; messageId: string }[]>(
    "webhooks",
    "deliveries",
    "--endpoint",
    id,
    "--state",
    "succeeded",
  );
  expect(await json("webhooks", "messages", delivery!.messageId)).toMatchObject({
    type: "webhook.test",
    body: { data: { endpoint: id } },
  });
  expect((await weir("webhooks", "messages", "--type", "webhook.test")).stdout).toContain(
    delivery!.messageId,
  );
  await weir("webhooks", "redeliver", delivery!.id);
  for (let wait = 0; receiver.received.length < 2 && wait < 100; wait += 1)
    await new Promise((resolve) => setTimeout(resolve, 50));
  expect(receiver.received[1]!.headers["webhook-id"]).toBe(delivery!.messageId);
  expect((await weir("webhooks", "deliveries", delivery!.id)).stdout).toMatch(/state +(succeeded|pending)/);

  receiver.behave(() => ({ status: 410, body: "moved on" }));
  expect(await weir("webhooks", "test", id)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("answered 410"),
  });
  expect((await weir("webhooks", "endpoints")).stdout).toContain("disabled (gone)");
  expect(await weir("webhooks", "redeliver", delivery!.id)).toMatchObject({
    code: 3,
    stderr: expect.stringContaining("disabled"),
  });
  expect((await weir("webhooks", "enable", id)).stdout).toBe(`${id} is enabled\n`);
  expect(await weir("webhooks", "redeliver", "--endpoint", id)).toMatchObject({ code: 2 });
  receiver.behave(() => ({ status: 204 }));
  expect((await weir("webhooks", "redeliver", "--endpoint", id, "--since", "1h")).stdout).toBe(
    "1 deliveries are sent again\n",
  );
  expect((await weir("webhooks", "disable", id)).stdout).toBe(`${id} is disabled\n`);
  expect((await weir("webhooks", "delete", id)).stdout).toBe(`deleted ${id}\n`);
  expect((await weir("webhooks", "endpoints")).stdout).toMatch(/No endpoints/);
  expect(await weir("webhooks", "deliveries", "whd_nope")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("no webhook delivery"),
  });
}, 120_000);
