// Mail in an organization's own time: a month of invoices and retries in seconds; and what happens without a server.
import { afterAll, beforeAll, expect, test } from "vitest";
import { operationsOf } from "../support/graphql-operations.js";
import { startTestSmtpServer, type TestSmtpServer } from "../support/test-smtp-server.js";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";

let smtp: TestSmtpServer;
let weir: TestWeir | undefined;
beforeAll(async () => {
  smtp = await startTestSmtpServer();
});
afterAll(async () => {
  await weir?.close();
  await smtp?.close();
});

interface MailSeen {
  readonly id: string;
  readonly recipient: string;
  readonly state: string;
  readonly reason: string | null;
  readonly attempts: number;
}
const selection = "{ id recipient state reason attempts }";

/** An organization on a test clock, with customers who get their invoices by mail. */
async function played(of: TestWeir, customers: number) {
  const operations = operationsOf((query) => of.graphql(query));
  const { mutate } = operations;
  await mutate('startTestClock(at: "2027-01-01T00:00:00Z")', "{ now }");
  await mutate("setMailSettings(sendInvoices: true)", "{ sendInvoices }");
  await mutate(
    'createPlan(key: "scale", name: "Scale", currency: "EUR", prices: [{ key: "fee", charge: flat, timing: arrears, model: { flat: "100" } }])',
    "{ id }",
  );
  for (let number = 1; number <= customers; number += 1) {
    await mutate(
      `createCustomer(key: "c${number}", name: "Acme ${number}", timeZone: "UTC", email: "c${number}@acme.example")`,
      "{ id }",
    );
    await mutate(
      `createSubscription(customer: "c${number}", plan: "scale", start: "2027-01-01T00:00:00Z")`,
      "{ id }",
    );
  }
  const mails = async () =>
    (await operations.ask<{ mails: { nodes: MailSeen[] } }>(`{ mails(first: 200) { nodes ${selection} } }`))
      .mails.nodes;
  return { ...operations, mails };
}

test("with WEIR_MAIL_TEST_CLOCKS an advance sends each invoice once, and tries again as its clock goes on", async () => {
  weir = await startTestWeir("mail-test-clocks", {
    WEIR_SMTP_URL: smtp.url,
    WEIR_MAIL_FROM: "mail@weir.example",
    WEIR_MAIL_TEST_CLOCKS: "on",
    WEIR_MAIL_PER_MINUTE_MAX: "60000",
  });
  smtp.decide((recipient, attempt) =>
    recipient === "c1@acme.example" && attempt <= 2
      ? { at: "rcpt", code: 451, text: "later" }
      : recipient === "c2@acme.example"
        ? { at: "rcpt", code: 450, text: "mailbox busy" }
        : "accept",
  );
  const { advance, mails } = await played(weir, 12);
  expect(await advance("2027-02-02T00:00:00Z")).toMatchObject({ state: "idle" });
  const february = await mails();
  expect(february).toHaveLength(12);
  for (const mail of february.filter(({ recipient }) => !/^c[12]@/.test(recipient)))
    expect(mail).toMatchObject({ state: "sent", attempts: 1 });
  expect(await advance("2027-02-09T00:00:00Z")).toMatchObject({ state: "idle" });
  const later = await mails();
  expect(later.find(({ recipient }) => recipient === "c1@acme.example")).toMatchObject({
    state: "sent",
    attempts: 3,
  });
  expect(later.find(({ recipient }) => recipient === "c2@acme.example")).toMatchObject({
    state: "failed",
    reason: /Given up after 3 days/,
  });
  for (let number = 3; number <= 12; number += 1) expect(smtp.to(`c${number}@acme.example`)).toHaveLength(1);
  await weir.close();
  weir = undefined;
});

test("without an SMTP server invoices are recorded as suppressed, and what a person sends is refused", async () => {
  weir = await startTestWeir("mail-without-server");
  const { ask, mutate, advance, mails } = await played(weir, 1);
  await advance("2027-02-03T00:00:00Z");
  const [mail, ...more] = await mails();
  expect(more).toEqual([]);
  expect(mail).toMatchObject({ state: "suppressed", reason: /WEIR_SMTP_URL/, attempts: 0 });
  const { mailSettings } = await ask<{ mailSettings: { server: boolean } }>("{ mailSettings { server } }");
  expect(mailSettings.server).toBe(false);
  for (const change of [
    `resendMail(id: "${mail!.id}")`,
    'sendTestMail(to: "me@nimbus.example")',
    'sendInvoice(invoice: "INV-000001")',
  ])
    await expect(mutate(change, selection)).rejects.toThrow("WEIR_SMTP_URL");
});
