// Weir is killed between the commit that queues a mail and its delivery, and between delivery and the record of it.
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { askOver, operationsOf } from "../support/graphql-operations.js";
import { startTestSmtpServer, type TestSmtpServer } from "../support/test-smtp-server.js";
import { startWeirProcess, type WeirProcess } from "../support/weir-process.js";

let folder: string;
let server: WeirProcess | undefined;
let smtp: TestSmtpServer;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "weir-mail-kill-"));
  smtp = await startTestSmtpServer();
});
afterAll(async () => {
  await server?.stop();
  await smtp?.close();
  await rm(folder, { recursive: true, force: true });
});

const { ask, mutate } = operationsOf(
  askOver((pathname, init) => {
    if (server === undefined) throw new Error("no server");
    return server.fetch(pathname, init);
  }),
);

async function until<T>(what: string, look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (const end = Date.now() + 60_000; Date.now() < end; ) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${what} did not come`);
}

const start = (url: string) =>
  startWeirProcess(path.join(folder, "data"), { WEIR_SMTP_URL: url, WEIR_MAIL_FROM: "mail@weir.example" });
const mailOf = async (id: string) =>
  (await ask<{ mail: { state: string; messageId: string } }>(`{ mail(id: "${id}") { state messageId } }`))
    .mail;
const sent = (id: string) =>
  until("the record", async () => ((await mailOf(id)).state === "sent" ? true : undefined));

/** A server that takes connections and says nothing. */
async function silence(): Promise<{ port: number; reached: Promise<unknown>; close: () => void }> {
  const sockets = new Set<Socket>();
  const silent: Server = createServer((socket) => void sockets.add(socket));
  const reached = once(silent, "connection");
  silent.listen(0, "127.0.0.1");
  await once(silent, "listening");
  const address = silent.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    reached,
    close: () => {
      for (const socket of sockets) socket.destroy();
      silent.close();
    },
  };
}

test("killed after the commit and before delivery, it is delivered after the start, once", async () => {
  const silent = await silence();
  server = await start(`smtp://127.0.0.1:${silent.port}`);
  const { id } = await mutate<{ id: string }>('sendTestMail(to: "one@acme.example")', "{ id }");
  await silent.reached;
  await server.kill();
  silent.close();
  server = await start(smtp.url);
  await sent(id);
  expect(smtp.to("one@acme.example")).toHaveLength(1);
}, 240_000);

test("killed while the server has it and has not answered, it is delivered again under the same Message-ID", async () => {
  let answer: () => void = () => undefined;
  const hold = new Promise<void>((resolve) => (answer = resolve));
  smtp.decide((recipient, attempt) =>
    recipient === "two@acme.example" && attempt === 1 ? { hold } : "accept",
  );
  const { id } = await mutate<{ id: string }>('sendTestMail(to: "two@acme.example")', "{ id }");
  await until("the data", () => smtp.received.find(({ recipient }) => recipient === "two@acme.example"));
  await server?.kill();
  answer();
  server = await start(smtp.url);
  await sent(id);
  const ids = smtp.received
    .filter(({ recipient }) => recipient === "two@acme.example")
    .map(({ parsed }) => parsed.messageId);
  expect(ids).toHaveLength(2);
  expect(new Set(ids)).toEqual(new Set([(await mailOf(id)).messageId]));
  // The run ends after the record of its last mail.
  await until("the end of every run", async () => {
    const { runs } = await ask<{ runs: { nodes: { state: string }[] } }>(
      '{ runs(first: 50, kind: "mail-delivery") { nodes { state } } }',
    );
    return runs.nodes.every(({ state }) => state === "succeeded") ? true : undefined;
  });
}, 240_000);
