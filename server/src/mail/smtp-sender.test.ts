import { once } from "node:events";
import { createServer, type AddressInfo, type Server } from "node:net";
import { SMTPServer } from "smtp-server";
import { afterEach, describe, expect, test } from "vitest";
import { startTestSmtpServer } from "../../test/support/test-smtp-server.js";
import { SmtpSender, type OutgoingMail } from "./smtp-sender.js";

const mail: OutgoingMail = {
  messageId: "<1@weir.example>",
  from: { name: "Nimbus", address: "mail@weir.example" },
  replyTo: undefined,
  to: { name: 'Acme "Inc.", Ltd <x>', address: "ap@acme.example" },
  recipient: "ap@acme.example",
  subject: "Rechnung für März – ✓",
  text: "text",
  html: "<p>html</p>",
  attachments: [{ name: "a.pdf", type: "application/pdf", content: Buffer.from("%PDF-") }],
};
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function listening(
  server: { listen(port: number, host: string): unknown; close(done: () => void): unknown },
  net: Server,
): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(net, "listening");
  closing.push(() => new Promise<void>((resolve) => void server.close(() => resolve())));
  return (net.address() as AddressInfo).port;
}

test("names and subjects arrive as they are, whatever characters they have", async () => {
  const smtp = await startTestSmtpServer();
  closing.push(() => smtp.close());
  expect(await new SmtpSender(smtp.url).send(mail)).toMatchObject({ kind: "accepted", reply: /^250/ });
  const { parsed } = smtp.to(mail.recipient)[0]!;
  expect(parsed.subject).toBe(mail.subject);
  expect(parsed.to).toMatchObject({ value: [mail.to] });
  expect(parsed.messageId).toBe(mail.messageId);
  expect([parsed.text?.trim(), parsed.html]).toEqual(["text", "<p>html</p>"]);
});

describe("what a server says", () => {
  test("to this mail: 5xx is for good, 4xx is not", async () => {
    const smtp = await startTestSmtpServer();
    closing.push(() => smtp.close());
    const sender = new SmtpSender(smtp.url);
    for (const at of ["rcpt", "data"] as const) {
      smtp.decide(() => ({ at, code: 550, text: "never" }));
      expect(await sender.send(mail)).toMatchObject({ kind: "rejected", reply: /550.*never/ });
      smtp.decide(() => ({ at, code: 452, text: "full" }));
      expect(await sender.send(mail)).toMatchObject({ kind: "deferred", reply: /452.*full/ });
    }
    smtp.decide(() => "drop");
    expect(await sender.send(mail)).toMatchObject({ kind: "unknown" });
  });

  test("nothing, since nobody listens", async () => {
    const net = createServer();
    const port = await listening(net, net);
    await new Promise((resolve) => net.close(resolve));
    closing.length = 0;
    expect(await new SmtpSender(`smtp://127.0.0.1:${port}`).send(mail)).toMatchObject({
      kind: "unreachable",
      error: /ECONNREFUSED/,
    });
  });

  test("that the password is wrong, which is nobody's mail's fault", async () => {
    const server = new SMTPServer({
      hideSTARTTLS: true,
      allowInsecureAuth: true,
      onAuth: ({ username, password }, _session, done) =>
        username === "weir" && password === "p@ss:word/"
          ? done(null, { user: "weir" })
          : done(Object.assign(new Error("wrong"), { responseCode: 535 })),
      onData: (stream, _session, done) => stream.resume().on("end", () => done()),
    });
    const port = await listening(server, server.server);
    const wrong = await new SmtpSender(`smtp://weir:no@127.0.0.1:${port}`).send(mail);
    expect(wrong).toMatchObject({ kind: "unreachable" });
    expect(JSON.stringify(wrong)).not.toContain(Buffer.from("no").toString("base64"));
    const right = new SmtpSender(`smtp://weir:${encodeURIComponent("p@ss:word/")}@127.0.0.1:${port}`);
    expect(await right.send(mail)).toMatchObject({ kind: "accepted" });
  });

  test("that it lets nobody in: not the mail's fault either", async () => {
    const net = createServer((socket) => socket.end("554 no service for you\r\n"));
    const port = await listening(net, net);
    expect(await new SmtpSender(`smtp://127.0.0.1:${port}`).send(mail)).toMatchObject({
      kind: "unreachable",
    });
  });
});
