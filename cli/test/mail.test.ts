import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { SentMail } from "@weir/sdk";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestSmtpServer, type TestSmtpServer } from "../../server/test/support/test-smtp-server.js";
import { startWeirProcess, type WeirProcess } from "../../server/test/support/weir-process.js";
import { weirCommand } from "./support/weir-command.js";

let folder: string;
let smtp: TestSmtpServer;
let server: WeirProcess;
let weir: ReturnType<typeof weirCommand>["weir"];
let json: ReturnType<typeof weirCommand>["json"];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "weir-cli-mail-"));
  smtp = await startTestSmtpServer();
  server = await startWeirProcess(path.join(folder, "data"), {
    WEIR_SMTP_URL: smtp.url.replace("//", "//weir:hunter2@"),
    WEIR_MAIL_FROM: "mail@weir.example",
  });
  ({ weir, json } = weirCommand(server.url, server.key));
});
afterAll(async () => {
  await server?.stop();
  await smtp?.close();
  await rm(folder, { recursive: true, force: true });
});

async function sent(id: string): Promise<SentMail> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const mail = await json<SentMail>("mail", "show", id);
    if (mail.state === "sent") return mail;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${id} is not sent`);
}

test("mail is set up, tried, and its password shown nowhere", async () => {
  expect((await weir("config")).stdout).not.toContain("hunter2");
  expect((await weir("mail", "settings")).stdout).toMatch(/server +yes[\s\S]*invoices +not sent/);
  expect(await weir("mail", "settings", "--from-name", "Nimbus")).toMatchObject({ code: 2 });
  expect((await weir("mail", "list")).stdout).toContain("No mails");
  const mail = await json<SentMail>("mail", "test", "me@nimbus.example");
  expect(mail).toMatchObject({ kind: "test", recipient: "me@nimbus.example", state: "queued" });
  const shown = await sent(mail.id);
  expect(smtp.to("me@nimbus.example")[0]?.parsed.messageId).toBe(shown.messageId);
  expect(await weir("mail", "test", "nobody")).toMatchObject({
    code: 3,
    stderr: expect.stringContaining("is no address"),
  });
  expect(await weir("mail", "show", "eml_none")).toMatchObject({ code: 2 });
});

test("an invoice is e-mailed, also by itself, and downloaded as an e-invoice", async () => {
  await weir("mail", "settings", "--copies", "archive@nimbus.example", "--send-invoices", "on");
  expect((await weir("mail", "settings")).stdout).toMatch(/copies +archive@[\s\S]*invoices +sent as they/);
  await json(
    ["organization", "billing-profile", "--name", "Nimbus GmbH", "--line1", "Weg 1", "--city", "Berlin"],
    ["--postal-code", "10119", "--country", "DE", "--tax-id", "DE123456789"],
    ["--iban", "DE02 1203 0000 0000 2020 51", "--registration-number", "HRB 1"],
  );
  expect((await weir("organization", "billing-profile")).stdout).toMatch(
    /registration number +HRB 1[\s\S]*IBAN/,
  );
  await json("tax", "settings", "--country", "DE");
  const plan = path.join(folder, "plan.yaml");

  await writeFile(
    plan,
    "plans: [{ key: scale, currency: EUR, prices: [{ key: fee, flat: '100', timing: arrears }] }]",
  );
  await weir("plans", "apply", "-f", plan, "--yes");
  await json(
    ["customers", "create", "acme", "--name", "Acme", "--email", "ap@acme.example", "--city", "Bonn"],
    ["--country", "DE", "--buyer-reference", "PO 7", "--electronic-address", "EM:inbox@acme.example"],
  );
  expect((await weir("customers", "show", "acme")).stdout).toMatch(
    /electronic address +EM:inbox@[\s\S]*PO 7/,
  );
  const { id } = await json<{ id: string }>(
    "subscriptions",
    "create",
    "acme",
    "scale",
    "--start",
    "2025-01-01",
  );
  const { invoice } = await json<{ invoice: { id: string } }>("invoices", "create", id, "--at", "2025-01-15");
  const { number } = await json<{ number: string }>("invoices", "finalize", invoice.id);

  const mails = await json<SentMail[]>("mail", "list", "--invoice", number);
  expect(mails.map(({ recipient }) => recipient).sort()).toEqual([
    "ap@acme.example",
    "archive@nimbus.example",
  ]);
  for (const mail of mails) await sent(mail.id);
  expect(smtp.to("ap@acme.example")[0]?.parsed.attachments.map(({ filename }) => filename)).toEqual([
    `${number}.pdf`,
    `${number}.xml`,
  ]);
  const [again] = await json<SentMail[]>("invoices", "email", number, "--to", "ap@acme.example");
  expect(again).toMatchObject({ sending: 2 });
  await sent(again?.id ?? "");
  expect(await json("mail", "resend", again?.id ?? "")).toMatchObject({ sending: 3 });
  expect((await weir("mail", "list", "--kind", "invoice", "--customer", "acme")).stdout).toContain(
    "ap@acme.example",
  );

  const xml = path.join(folder, "invoice.xml");
  await weir("invoices", "download", number, "--format", "xml", "--out", xml);
  expect(await readFile(xml, "utf8")).toContain("<cbc:BuyerReference>PO 7</cbc:BuyerReference>");
});

test("an e-invoice that would break rules names them", async () => {
  await json("customers", "create", "beta", "--name", "Beta");
  const { id } = await json<{ id: string }>(
    "subscriptions",
    "create",
    "beta",
    "scale",
    "--start",
    "2025-01-01",
  );
  const { invoice } = await json<{ invoice: { id: string } }>("invoices", "create", id, "--at", "2025-01-15");
  await json("invoices", "finalize", invoice.id);
  expect(await weir("invoices", "download", invoice.id, "--format", "xml", "--out", "-")).toMatchObject({
    code: 3,
    stderr: expect.stringMatching(/BR-10.*weir customers update[\s\S]*"rule":"BR-11"/),
  });
  expect(await json<SentMail[]>("mail", "list", "--customer", "beta")).toEqual([]);
});
