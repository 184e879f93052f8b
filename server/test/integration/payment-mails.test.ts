// What customers are told of their payments by mail, on a real SMTP server, as a test clock goes on.
import { afterAll, beforeAll, expect, test } from "vitest";
import { startPrepayingOrganization, type PrepayingOrganization } from "../support/prepaying-organization.js";
import { startTestSmtpServer, type TestSmtpServer } from "../support/test-smtp-server.js";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";

const visa = "4242424242424242";
const softlyDeclined = "4000000000009995";
const stolen = "4000000000009979";

let smtp: TestSmtpServer;
let weir: TestWeir;
let org: PrepayingOrganization;

beforeAll(async () => {
  smtp = await startTestSmtpServer();
  weir = await startTestWeir("payment-mails", {
    WEIR_SMTP_URL: smtp.url,
    WEIR_MAIL_FROM: "mail@weir.example",
    WEIR_MAIL_TEST_CLOCKS: "on",
    WEIR_MAIL_PER_MINUTE_MAX: "60000",
  });
  org = await startPrepayingOrganization(weir, "telling");
  await org.mutate('setBillingProfile(legalName: "Nimbus Ltd")', "{ legalName }");
});
afterAll(async () => {
  await org?.paying.stop();
  await weir?.close();
  await smtp?.close();
});

/** Subject and text of what a customer got, oldest first. */
const got = (customer: string) =>
  smtp.to(`${customer}@example.com`).map(({ parsed }) => ({
    subject: parsed.subject,
    text: parsed.text ?? "",
    link: /http\S+\/pay\/\S+/.exec(parsed.text ?? "")?.[0],
  }));
const mailsOf = async (customer: string) =>
  (
    await org.ask<{ mails: { nodes: { kind: string; state: string; reason: string | null }[] } }>(
      `{ mails(first: 50, customer: "${customer}") { nodes { kind state reason } } }`,
    )
  ).mails.nodes.toReversed();
const on = () => org.mutate("setMailSettings(sendPayments: true)", "{ sendPayments sendInvoices }");

/** A customer who owes 20.00 from the clock's next first of a month on. */
async function owing(customer: string, card: string, more = ""): Promise<void> {
  await org.customer(customer, { plan: "monthly", card, more });
}
let month = 1;
async function nextMonth(days = 0): Promise<void> {
  month += 1;
  await org.paying.advance(new Date(Date.UTC(2028, month - 1, 1 + days)).toISOString().replace(".000", ""));
}

test("an organization that has not asked for it sends none", async () => {
  await owing("quiet", softlyDeclined);
  await nextMonth();
  expect(await mailsOf("quiet")).toEqual([]);
  await org.mutate('pauseCollection(customer: "quiet", reason: "r")', "{ id }");
});

test("a soft decline: why, when it is tried again, and where to give another card; then the receipt", async () => {
  expect(await on()).toEqual({ sendPayments: true, sendInvoices: false });
  await org.mutate("setDunningSchedule(retryDays: [3, 6], hour: 10, endDays: 9, end: pause)", "{ hour }");
  await owing("poor", softlyDeclined);
  await nextMonth();
  const [failed, ...more] = got("poor");
  expect(more).toEqual([]);
  expect(failed!.subject).toMatch(/^The payment of invoice INV-\d+ failed$/);
  expect(failed!.text).toMatch(/We could not collect \$20\.00 for invoice INV-\d+ from VISA •••• 9995\./);
  expect(failed!.text).toContain("Reason: there is not enough money on the account.");
  expect(failed!.text).toContain("We will try again on Mar 4, 2028.");
  // The link leads to the provider's page, for anybody who has it.
  const page = await fetch(failed!.link!, { redirect: "manual" });
  expect(page.status).toBe(303);
  expect(page.headers.get("location")).toContain(org.paying.stripe.url);
  await org.card("poor", visa);
  await org.pass(1);
  const receipt = got("poor").at(-1)!;
  expect(receipt.subject).toMatch(/^Your payment of invoice INV-\d+$/);
  expect(receipt.text).toContain("We received your payment of $20.00");
  expect(receipt.text).toContain("Paid by VISA •••• 4242.");
});

test("a hard decline asks for another card, and does not say why; the end is told with what follows", async () => {
  await owing("robbed", stolen, ', locale: "de-DE"');
  await nextMonth();
  const [update, ...more] = got("robbed");
  expect(more).toEqual([]);
  expect(update!.subject).toBe("Bitte aktualisieren Sie Ihre Zahlungsart bei Nimbus Ltd");
  expect(update!.text).toContain("Ihre Zahlungsart VISA •••• 9979 wurde abgelehnt.");
  expect(update!.text).not.toMatch(/stolen|gestohlen/i);
  expect(update!.link).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/pay\//);
  await org.paying.advance("2028-04-20T00:00:00Z");
  const final = got("robbed").at(-1)!;
  expect(final.subject).toMatch(/^Letzte Mahnung: Rechnung INV-\d+ ist nicht bezahlt$/);
  expect(final.text).toContain("Ohne Zahlung wird Ihr Abonnement ausgesetzt.");
  expect((await mailsOf("robbed")).map(({ kind }) => kind)).toEqual(["card_update", "dunning_final"]);
});

test("each retry is told; the last one names no other day", async () => {
  await owing("patient", softlyDeclined);
  await nextMonth(19);
  const texts = got("patient").map(({ text }) => /We will try again on ([^.]+)\./.exec(text)?.[1]);
  expect(texts).toEqual(["May 4, 2028", "May 7, 2028", undefined, undefined]);
  expect((await mailsOf("patient")).map(({ kind }) => kind)).toEqual([
    "payment_failed",
    "payment_failed",
    "payment_failed",
    "dunning_final",
  ]);
});

test("a customer without an address is charged all the same, and so is one whose address is none", async () => {
  await org.customer("mute", { plan: "monthly", card: visa });
  await org.mutate('updateCustomer(customer: "mute", email: null)', "{ id }");
  await org.customer("odd", { plan: "monthly", card: visa });
  await org.mutate('updateCustomer(customer: "odd", email: "odd@bad..example")', "{ id }");
  await nextMonth();
  for (const customer of ["mute", "odd"]) {
    const { receivables } = await org.ask<{ receivables: { nodes: { state: string }[] } }>(
      `{ receivables(customer: "${customer}") { nodes { state } } }`,
    );
    expect(receivables.nodes).toEqual([{ state: "paid" }]);
  }
  expect(await mailsOf("mute")).toEqual([]);
  expect(await mailsOf("odd")).toMatchObject([{ kind: "receipt", state: "failed", reason: /no address/ }]);
});

test("a top-up has its receipt; an automatic one that a card refuses asks for another", async () => {
  await org.customer("topped", { card: visa });
  await org.mutate('topUpCredit(customer: "topped", amount: "25.00")', "{ id }");
  await org.customer("refused", { card: stolen });
  await org.mutate(
    'setTopUpSettings(customer: "refused", threshold: "10.00", amount: "50.00")',
    "{ changedAt }",
  );
  await org.pass(1);
  expect(got("topped").map(({ subject }) => subject)).toEqual(["Your payment to Nimbus Ltd"]);
  expect(got("topped")[0]!.text).toContain("We received your payment of $25.00 on");
  expect(got("refused").map(({ subject }) => subject)).toEqual([
    "Please update your payment method with Nimbus Ltd",
  ]);
  expect(got("refused")[0]!.link).toBeDefined();
  await org.pass(60);
  expect(await mailsOf("refused")).toHaveLength(1);
});
