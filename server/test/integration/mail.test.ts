// Invoices by mail, on a real SMTP server: what goes out, what is tried again, what is given up, and who sees it.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { OrganizationId } from "../../src/kernel/ids.js";
import { parseInstant } from "../../src/kernel/instant.js";
import type { Currency } from "../../src/kernel/currency.js";
import { operationsOf, unlessShed } from "../support/graphql-operations.js";
import { parseXml, textAt } from "../support/parsed-xml.js";
import { startTestSmtpServer, type TestSmtpServer } from "../support/test-smtp-server.js";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";

let smtp: TestSmtpServer;
let weir: TestWeir;
let nimbus: { id: OrganizationId; key: string };
let other: { id: OrganizationId; key: string };

interface MailSeen {
  readonly id: string;
  readonly recipient: string;
  readonly addressedTo: string | null;
  readonly state: string;
  readonly reason: string | null;
  readonly reply: string | null;
  readonly sending: number;
  readonly attempts: number;
  readonly messageId: string | null;
  readonly nextAttemptAt: string | null;
  readonly sentAt: string | null;
}
const selection =
  "{ id recipient addressedTo state reason reply sending attempts messageId nextAttemptAt sentAt }";

const { ask, mutate } = operationsOf((query) => weir.graphql(query, {}, nimbus.key));

async function until<T>(
  what: string,
  look: () => Promise<T | undefined> | T | undefined,
  ms = 60_000,
): Promise<T> {
  for (const end = Date.now() + ms; Date.now() < end; ) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`${what} did not come`);
}

const mailOf = async (id: string) =>
  (await ask<{ mail: MailSeen }>(`{ mail(id: "${id}") ${selection} }`)).mail;
const inState = (id: string, state: string) =>
  until(`mail ${id} ${state}`, async () => {
    const mail = await mailOf(id);
    return mail.state === state ? mail : undefined;
  });
const mailsOf = async (invoice: string) =>
  (
    await ask<{ mails: { nodes: MailSeen[] } }>(
      `{ mails(first: 50, invoice: "${invoice}") { nodes ${selection} } }`,
    )
  ).mails.nodes;

let customers = 0;
/** A customer with a subscription that has a month of 2025 to be billed. */
async function subscribed(
  organization = nimbus,
  more = "",
): Promise<{ customer: string; subscription: string }> {
  customers += 1;
  const customer = `customer-${customers}`;
  const { mutate: change } = operationsOf((query) => weir.graphql(query, {}, organization.key));
  await change(
    `createCustomer(key: "${customer}", name: "Müller & Söhne", timeZone: "Europe/Berlin", email: "${customer}@acme.example", taxId: "DE987654321", address: { line1: "Weg 1", city: "Bonn", postalCode: "53111", country: "DE" }${more})`,
    "{ id }",
  );
  const { id } = await change<{ id: string }>(
    `createSubscription(customer: "${customer}", plan: "scale", start: "2025-01-01T00:00:00+01:00")`,
    "{ id }",
  );
  return { customer, subscription: id };
}

async function finalized(
  organization = nimbus,
  more = "",
): Promise<{ id: string; number: string; email: string }> {
  const { customer, subscription } = await subscribed(organization, more);
  const { mutate: change } = operationsOf((query) => weir.graphql(query, {}, organization.key));
  const { invoice } = await change<{ invoice: { id: string } }>(
    `createInvoice(subscription: "${subscription}", at: "2025-01-15T00:00:00Z")`,
    "{ invoice { id } }",
  );
  const done = await change<{ id: string; number: string }>(
    `finalizeInvoice(id: "${invoice.id}")`,
    "{ id number }",
  );
  return { ...done, email: `${customer}@acme.example` };
}

async function setUp(slug: string): Promise<{ id: OrganizationId; key: string }> {
  const { identity } = weir.weir.services;
  const { id } = await identity.createOrganization({ slug, name: `The ${slug}`, mode: "live" });
  const { secret: key } = await identity.issueSystemKey(id, { name: slug, kind: "secret" });
  const { mutate: change } = operationsOf((query) => weir.graphql(query, {}, key));
  await change(
    'setBillingProfile(legalName: "Nimbus GmbH", line1: "Torstraße 1", city: "Berlin", postalCode: "10119", country: "DE", taxId: "DE123456789", email: "billing@nimbus.example")',
    "{ legalName }",
  );
  await change('setTaxSettings(country: "DE")', "{ country }");
  await change(
    'createPlan(key: "scale", name: "Scale", currency: "EUR", prices: [{ key: "fee", name: "Platform fee", charge: flat, timing: arrears, model: { flat: "100" } }])',
    "{ id }",
  );
  return { id, key };
}

beforeAll(async () => {
  smtp = await startTestSmtpServer();
  weir = await startTestWeir("mail", {
    WEIR_SMTP_URL: smtp.url,
    WEIR_MAIL_FROM: "Weir <mail@weir.example>",
    WEIR_MAIL_PER_MINUTE_MAX: "6000",
  });
  nimbus = await setUp("nimbus");
  other = await setUp("other");
});
afterAll(async () => {
  await weir?.close();
  await smtp?.close();
});

describe("an invoice by mail", () => {
  test("has its PDF and its e-invoice attached, and is sent once", async () => {
    const invoice = await finalized();
    const [mail] = await mutate<MailSeen[]>(`sendInvoice(invoice: "${invoice.number}")`, selection);
    expect(mail).toMatchObject({ recipient: invoice.email, state: "queued", sending: 1 });
    const sent = await inState(mail!.id, "sent");
    expect(sent).toMatchObject({ attempts: 1, reason: null, nextAttemptAt: null, reply: /^250/ });
    expect(sent.sentAt).not.toBeNull();
    const [received, ...more] = smtp.to(invoice.email);
    expect(more).toEqual([]);
    expect(received?.from).toBe("mail@weir.example");
    const { parsed } = received!;
    expect(parsed.messageId).toBe(sent.messageId);
    expect(parsed.from?.text).toBe('"Nimbus GmbH" <mail@weir.example>');
    expect(parsed.replyTo?.text).toBe("billing@nimbus.example");
    expect(parsed.subject).toBe(`Invoice ${invoice.number} from Nimbus GmbH`);
    expect(parsed.text).toContain(`Attached you find invoice ${invoice.number} over €119.00.`);
    expect(parsed.text).toContain("Hello Müller & Söhne,");
    expect(parsed.html).toContain("Hello Müller &amp; Söhne,");
    expect(parsed.headers.get("auto-submitted")).toBe("auto-generated");
    expect(parsed.attachments.map(({ filename, contentType }) => [filename, contentType])).toEqual([
      [`${invoice.number}.pdf`, "application/pdf"],
      [`${invoice.number}.xml`, "application/xml"],
    ]);
    const [pdf, xml] = parsed.attachments;
    const downloaded = await unlessShed(() =>
      weir.fetch(`/v1/invoices/${invoice.id}.pdf`, { key: nimbus.key }),
    );
    expect(pdf!.content.equals(Buffer.from(await downloaded.arrayBuffer()))).toBe(true);
    expect(pdf!.content.subarray(0, 5).toString()).toBe("%PDF-");
    expect(textAt(parseXml(xml!.content.toString()), "LegalMonetaryTotal/PayableAmount")).toBe("119.00");
  });

  test("in the customer's language; without an e-invoice where that would not be valid", async () => {
    const { subscription, customer } = await subscribed(nimbus, ', locale: "de-DE"');
    await mutate(`updateCustomer(customer: "${customer}", address: { city: "Bonn" })`, "{ id }");
    const { invoice } = await mutate<{ invoice: { id: string } }>(
      `createInvoice(subscription: "${subscription}", at: "2025-01-15T00:00:00Z")`,
      "{ invoice { id } }",
    );
    await mutate(`finalizeInvoice(id: "${invoice.id}")`, "{ id }");
    const [mail] = await mutate<MailSeen[]>(
      `sendInvoice(invoice: "${invoice.id}", to: ["de@acme.example"])`,
      selection,
    );
    await inState(mail!.id, "sent");
    const [received] = smtp.to("de@acme.example");
    expect(received!.parsed.subject).toMatch(/^Rechnung INV-\d+ von Nimbus GmbH$/);
    expect(received!.parsed.text).toMatch(/anbei erhalten Sie die Rechnung INV-\d+ über 119,00\s€\./);
    expect(received!.parsed.attachments).toHaveLength(1);
  });

  test("goes to those who are named, each with a Message-ID of its own; asked for again, it goes again under another", async () => {
    const { id } = await finalized();
    const to = '["a@acme.example", "b@acme.example", "a@acme.example"]';
    const first = await mutate<MailSeen[]>(`sendInvoice(invoice: "${id}", to: ${to})`, selection);
    expect(first.map(({ recipient }) => recipient)).toEqual(["a@acme.example", "b@acme.example"]);
    for (const mail of first) await inState(mail.id, "sent");
    const again = await mutate<MailSeen[]>(
      `sendInvoice(invoice: "${id}", to: ["a@acme.example"])`,
      selection,
    );
    expect(again).toMatchObject([{ id: first[0]!.id, sending: 2, state: "queued" }]);
    await inState(first[0]!.id, "sent");
    await mutate(`resendMail(id: "${first[1]!.id}")`, selection);
    await inState(first[1]!.id, "sent");
    const ids = ["a@acme.example", "b@acme.example"].flatMap((address) =>
      smtp.to(address).map(({ parsed }) => parsed.messageId),
    );
    expect(ids).toHaveLength(4);
    expect(new Set(ids).size).toBe(4);
  });

  test("asked for twice under one idempotency key, it goes once", async () => {
    const { id } = await finalized();
    const send = () =>
      unlessShed(() =>
        weir.fetch("/graphql", {
          method: "POST",
          key: nimbus.key,
          headers: { "content-type": "application/json", "idempotency-key": "once-and-only" },
          body: JSON.stringify({
            query: `mutation { sendInvoice(invoice: "${id}", to: ["once@acme.example"]) { ... on SendInvoiceSuccess { data { id } } } }`,
          }),
        }),
      );
    const answers = [await (await send()).text(), await (await send()).text()];
    expect(answers[1]).toBe(answers[0]);
    const [mail] = await mailsOf(id);
    await inState(mail!.id, "sent");
    expect(smtp.to("once@acme.example")).toHaveLength(1);
  });
});

describe("as invoices are finalized", () => {
  test("they are sent by themselves where the organization wants it, with blind copies", async () => {
    const before = await finalized();
    expect(await mailsOf(before.id)).toEqual([]);
    await mutate(
      'setMailSettings(fromName: "Nimbus, Billing", replyTo: "ask@nimbus.example", copies: ["archive@nimbus.example"], sendInvoices: true)',
      "{ sendInvoices }",
    );
    const invoice = await finalized();
    const sent = await until("both mails", async () => {
      const mails = await mailsOf(invoice.id);
      return mails.length === 2 && mails.every(({ state }) => state === "sent") ? mails : undefined;
    });
    expect(new Map(sent.map(({ recipient, addressedTo }) => [recipient, addressedTo]))).toEqual(
      new Map([
        ["archive@nimbus.example", invoice.email],
        [invoice.email, null],
      ]),
    );
    const [copy] = smtp.to("archive@nimbus.example");
    const [original] = smtp.to(invoice.email);
    expect(copy!.parsed.to).toMatchObject({ value: [{ address: invoice.email }] });
    expect(copy!.raw).not.toContain("archive@nimbus.example");
    expect(original!.raw).not.toContain("archive@nimbus.example");
    expect(original!.parsed.from?.text).toBe('"Nimbus, Billing" <mail@weir.example>');
    expect(original!.parsed.replyTo?.text).toBe("ask@nimbus.example");
    expect(copy!.parsed.messageId).not.toBe(original!.parsed.messageId);
    await mutate("setMailSettings(sendInvoices: false)", "{ sendInvoices }");
  });

  test("an address that is none fails at once, and keeps no invoice from being final", async () => {
    await mutate("setMailSettings(sendInvoices: true)", "{ sendInvoices }");
    const { subscription, customer } = await subscribed();
    await mutate(`updateCustomer(customer: "${customer}", email: "a,b@acme.example")`, "{ id }");
    const { invoice } = await mutate<{ invoice: { id: string } }>(
      `createInvoice(subscription: "${subscription}", at: "2025-01-15T00:00:00Z")`,
      "{ invoice { id } }",
    );
    await mutate(`finalizeInvoice(id: "${invoice.id}")`, "{ id }");
    expect(await mailsOf(invoice.id)).toMatchObject([
      { recipient: "a,b@acme.example", state: "failed", attempts: 0, reason: /no address/ },
    ]);
    await mutate(`updateCustomer(customer: "${customer}", email: null)`, "{ id }");
    const second = await mutate<{ invoice: { id: string } }>(
      `createInvoice(subscription: "${subscription}", at: "2025-02-15T00:00:00Z")`,
      "{ invoice { id } }",
    );
    await mutate(`finalizeInvoice(id: "${second.invoice.id}")`, "{ id }");
    expect(await mailsOf(second.invoice.id)).toEqual([]);
    await mutate("setMailSettings(sendInvoices: false)", "{ sendInvoices }");
  });
});

describe("a server that", () => {
  test("asks to come later gets the same mail again, until it takes it", async () => {
    smtp.decide((recipient, attempt) =>
      recipient === "grey@acme.example" && attempt < 3
        ? { at: "rcpt", code: 451, text: "greylisted" }
        : "accept",
    );
    const { id } = await finalized();
    const [mail] = await mutate<MailSeen[]>(
      `sendInvoice(invoice: "${id}", to: ["grey@acme.example"])`,
      selection,
    );
    const waiting = await until("a first refusal", async () => {
      const seen = await mailOf(mail!.id);
      return seen.attempts === 1 && seen.reply !== null ? seen : undefined;
    });
    expect(waiting).toMatchObject({ state: "queued", reply: /451.*greylisted/, reason: /later/ });
    expect(Date.parse(waiting.nextAttemptAt!)).toBeGreaterThan(Date.now());
    // By itself, some seconds later.
    await until("a second attempt", () => (smtp.attemptsFor("grey@acme.example") === 2 ? true : undefined));
    // And at once, when a person says so.
    await until("its result", async () => ((await mailOf(mail!.id)).attempts === 2 ? true : undefined));
    await mutate(`resendMail(id: "${mail!.id}")`, selection);
    const sent = await inState(mail!.id, "sent");
    expect(sent).toMatchObject({ attempts: 3, sending: 1 });
    expect(smtp.to("grey@acme.example").map(({ parsed }) => parsed.messageId)).toEqual([sent.messageId]);
  });

  test("refuses for good is not asked again", async () => {
    smtp.decide((recipient) =>
      recipient === "gone@acme.example"
        ? { at: "rcpt", code: 550, text: "no such user" }
        : recipient === "spam@acme.example"
          ? { at: "data", code: 554, text: "we do not want this" }
          : "accept",
    );
    const { id } = await finalized();
    const mails = await mutate<MailSeen[]>(
      `sendInvoice(invoice: "${id}", to: ["gone@acme.example", "spam@acme.example", "fine@acme.example"])`,
      selection,
    );
    const [gone, spam, fine] = mails;
    expect(await inState(gone!.id, "failed")).toMatchObject({ attempts: 1, reply: /550.*no such user/ });
    expect(await inState(spam!.id, "failed")).toMatchObject({ attempts: 1, reply: /554/ });
    await inState(fine!.id, "sent");
    expect(smtp.attemptsFor("gone@acme.example")).toBe(1);
    expect(smtp.attemptsFor("spam@acme.example")).toBe(1);
  });

  test("drops the connection after the data gets it again under the same Message-ID", async () => {
    smtp.decide((recipient, attempt) =>
      recipient === "dropped@acme.example" && attempt === 1 ? "drop" : "accept",
    );
    const { id } = await finalized();
    const [mail] = await mutate<MailSeen[]>(
      `sendInvoice(invoice: "${id}", to: ["dropped@acme.example"])`,
      selection,
    );
    const lost = await until("the loss", async () => {
      const seen = await mailOf(mail!.id);
      return seen.attempts === 1 && seen.reason !== null ? seen : undefined;
    });
    expect(lost).toMatchObject({ state: "queued", reason: /may have taken it/ });
    const sent = await inState(mail!.id, "sent");
    const ids = smtp.received
      .filter(({ recipient }) => recipient === "dropped@acme.example")
      .map(({ parsed }) => parsed.messageId);
    expect(ids).toEqual([sent.messageId, sent.messageId]);
  });
});

test("other domains queue mails in their own transaction, once for each key", async () => {
  const { mail, postgres } = weir.weir.services;
  const content = {
    kind: "payment_failed",
    invoiceNumber: "INV-000099",
    amount: { currency: "EUR" as Currency, minor: 11900n },
    method: "VISA •••• 4242",
    reason: "Your card <was> declined.",
    nextAttemptAt: parseInstant("2026-06-03T08:00:00Z")!,
    link: "https://pay.nimbus.example/p/1?a=1&b=2",
  } as const;
  const queue = () =>
    postgres.inOrganization(nimbus.id, (sql) =>
      mail.queue(sql, nimbus.id, { content, key: "attempt-1", to: ["payer@acme.example"] }),
    );
  const [id] = await queue();
  expect(await queue()).toEqual([]);
  await expect(
    postgres.inOrganization(nimbus.id, async (sql) => {
      await mail.queue(sql, nimbus.id, { content, key: "attempt-2", to: ["payer@acme.example"] });
      throw new Error("undone");
    }),
  ).rejects.toThrow("undone");
  await inState(id!, "sent");
  const [received, ...more] = smtp.to("payer@acme.example");
  expect(more).toEqual([]);
  expect(received!.parsed.subject).toBe("The payment of invoice INV-000099 failed");
  expect(received!.parsed.text).toContain(
    "We could not collect €119.00 for invoice INV-000099 from VISA •••• 4242.",
  );
  expect(received!.parsed.text).toContain(content.link);
  expect(received!.parsed.html).toContain("Your card &lt;was&gt; declined.");
  expect(received!.parsed.html).toContain('href="https://pay.nimbus.example/p/1?a=1&amp;b=2"');
  for (const link of [
    "javascript:alert(1)",
    "http://pay.example",
    "https://a b",
    "https://user:pass@pay.example",
  ])
    await expect(
      postgres.inOrganization(nimbus.id, (sql) =>
        mail.queue(sql, nimbus.id, { content: { ...content, link }, key: "x", to: ["payer@acme.example"] }),
      ),
    ).rejects.toThrow("link");
});

test("a customer's name cannot add a header", async () => {
  const { id } = await finalized(nimbus);
  const { postgres, mail } = weir.weir.services;
  await postgres.inOrganization(nimbus.id, (sql) =>
    mail.queue(sql, nimbus.id, {
      content: {
        kind: "receipt",
        amount: { currency: "EUR" as Currency, minor: 100n },
        paidAt: parseInstant("2026-06-01T00:00:00Z")!,
      },
      key: `receipt-of-${id}`,
      to: ["header@acme.example"],
      customer: {
        id: "cus_none" as never,
        name: 'Evil\r\nBcc: victim@acme.example\r\n\r\n<b>"x',
        locale: undefined,
        timeZone: "UTC" as never,
      },
    }),
  );
  const received = await until("the mail", () => smtp.to("header@acme.example")[0]);
  expect([...received.parsed.headers.keys()]).not.toContain("bcc");
  expect(received.parsed.to).toMatchObject({ value: [{ address: "header@acme.example" }] });
  expect(smtp.to("victim@acme.example")).toEqual([]);
});

describe("refusals", () => {
  test("a draft, bad addresses, too many, none, and unknown things", async () => {
    const { subscription } = await subscribed();
    const { invoice } = await mutate<{ invoice: { id: string } }>(
      `createInvoice(subscription: "${subscription}", at: "2025-01-15T00:00:00Z")`,
      "{ invoice { id } }",
    );
    await expect(mutate(`sendInvoice(invoice: "${invoice.id}")`, selection)).rejects.toThrow(
      "weir invoices finalize",
    );
    await mutate(`finalizeInvoice(id: "${invoice.id}")`, "{ id }");
    const sent = (to: readonly string[]) =>
      mutate(`sendInvoice(invoice: "${invoice.id}", to: ${JSON.stringify(to)})`, selection);
    await expect(sent(["a@acme.example\r\nBcc: b@acme.example"])).rejects.toThrow("is no address");
    await expect(sent(["Acme <a@acme.example>"])).rejects.toThrow("is no address");
    await expect(sent(Array.from({ length: 11 }, (_, index) => `a${index}@acme.example`))).rejects.toThrow(
      "at most 10",
    );
    await expect(sent([])).rejects.toThrow("at least one");
    await expect(mutate('sendInvoice(invoice: "INV-999999")', selection)).rejects.toThrow("INV-999999");
    await expect(mutate('resendMail(id: "eml_none")', selection)).rejects.toThrow("eml_none");
    await expect(mutate('sendTestMail(to: "x")', selection)).rejects.toThrow("is no address");
    await expect(
      mutate('setMailSettings(replyTo: "x", fromName: "a\\nb", copies: ["y"])', "{ server }"),
    ).rejects.toThrow(/fromName: .*; replyTo: .*; copies: /);
  });

  test("a customer without an address needs one to be named", async () => {
    const { id, email } = await finalized();
    const key = email.slice(0, email.indexOf("@"));
    await mutate(`updateCustomer(customer: "${key}", email: "new@acme.example")`, "{ id }");
    const [mail] = await mutate<MailSeen[]>(`sendInvoice(invoice: "${id}")`, selection);
    expect(mail?.recipient).toBe("new@acme.example");
  });
});

test("a test mail says that mail works", async () => {
  const mail = await mutate<MailSeen>('sendTestMail(to: "me@nimbus.example")', selection);
  await inState(mail.id, "sent");
  expect(smtp.to("me@nimbus.example")[0]!.parsed.text).toContain(
    "This mail shows that Weir can send mail for Nimbus GmbH.",
  );
});

test("an erased customer is in no mail, and cannot be written to again", async () => {
  const invoice = await finalized(
    nimbus,
    ', electronicAddress: "EM:personal@acme.example", buyerReference: "personal"',
  );
  const [mail] = await mutate<MailSeen[]>(`sendInvoice(invoice: "${invoice.id}")`, selection);
  await inState(mail!.id, "sent");
  const key = invoice.email.slice(0, invoice.email.indexOf("@"));
  await mutate(`eraseCustomer(customer: "${key}", confirm: "${key}")`, "{ subjectsErased }");
  expect(await mailOf(mail!.id)).toMatchObject({
    recipient: `erased:${mail!.id}`,
    state: "sent",
    reply: null,
  });
  await expect(mutate(`resendMail(id: "${mail!.id}")`, selection)).rejects.toThrow("erased");
  const stored = await weir.weir.services.postgres.inOrganization(
    nimbus.id,
    (sql) => sql<{ row: string }[]>`SELECT to_jsonb(m)::text AS row FROM mails m WHERE id = ${mail!.id}`,
  );
  expect(stored[0]!.row).not.toContain(key);
  expect(stored[0]!.row).not.toContain("Müller");
});

test("an address of a customer that is none fails, and keeps nothing else from happening", async () => {
  const { mail, postgres } = weir.weir.services;
  const queued = await postgres.inOrganization(nimbus.id, (sql) =>
    mail.queue(sql, nimbus.id, {
      content: { kind: "card_update", link: "https://pay.nimbus.example/card" },
      key: "card-1",
      to: ["a;b@acme.example", "good@acme.example"],
    }),
  );
  expect(await mailOf(queued[0]!)).toMatchObject({ state: "failed", attempts: 0, reason: /no address/ });
  await inState(queued[1]!, "sent");
});

test("what a person sends is audited without addresses", async () => {
  const invoice = await finalized();
  await mutate(`sendInvoice(invoice: "${invoice.id}", to: ["audited@acme.example"])`, selection);
  const { auditLog } = await ask<{ auditLog: { nodes: { action: string; after: unknown }[] } }>(
    `{ auditLog(first: 5, target: "${invoice.id}", action: "mail.send_invoice") { nodes { action after } } }`,
  );
  expect(auditLog.nodes).toHaveLength(1);
  expect(JSON.stringify(auditLog.nodes)).not.toContain("audited@");
});

test("an organization with a test clock sends nothing: its mails are recorded as suppressed", async () => {
  const { identity } = weir.weir.services;
  const { id } = await identity.createOrganization({ slug: "clocked", name: "Clocked", mode: "live" });
  const { secret: key } = await identity.issueSystemKey(id, { name: "clocked", kind: "secret" });
  const { ask: askClocked, mutate: change, advance } = operationsOf((query) => weir.graphql(query, {}, key));
  await change('startTestClock(at: "2027-01-01T00:00:00Z")', "{ now }");
  await change("setMailSettings(sendInvoices: true)", "{ sendInvoices }");
  await change(
    'createPlan(key: "scale", name: "Scale", currency: "EUR", prices: [{ key: "fee", charge: flat, timing: arrears, model: { flat: "100" } }])',
    "{ id }",
  );
  await change(
    'createCustomer(key: "acme", name: "Acme", timeZone: "UTC", email: "clocked@acme.example")',
    "{ id }",
  );
  await change(
    'createSubscription(customer: "acme", plan: "scale", start: "2027-01-01T00:00:00Z")',
    "{ id }",
  );
  expect(await advance("2027-03-05T00:00:00Z")).toMatchObject({ state: "idle" });
  const { mails } = await askClocked<{ mails: { nodes: MailSeen[] } }>(
    `{ mails(first: 50) { nodes ${selection} } }`,
  );
  expect(mails.nodes).toHaveLength(2);
  for (const mail of mails.nodes)
    expect(mail).toMatchObject({ state: "suppressed", reason: /test clock/, attempts: 0 });
  const again = await change<MailSeen>(`resendMail(id: "${mails.nodes[0]!.id}")`, selection);
  expect(again).toMatchObject({ state: "suppressed", sending: 2 });
  expect(smtp.attemptsFor("clocked@acme.example")).toBe(0);
});

test("one organization does not see another's mails, and both may send the same", async () => {
  const mine = await finalized();
  const theirs = await finalized(other);
  const to = '["shared@acme.example"]';
  const [ours] = await mutate<MailSeen[]>(`sendInvoice(invoice: "${mine.id}", to: ${to})`, selection);
  const { ask: askOther, mutate: change } = operationsOf((query) => weir.graphql(query, {}, other.key));
  const [others] = await change<MailSeen[]>(`sendInvoice(invoice: "${theirs.id}", to: ${to})`, selection);
  expect(others!.messageId).not.toBe(ours!.messageId);
  expect((await askOther<{ mail: MailSeen | null }>(`{ mail(id: "${ours!.id}") { id } }`)).mail).toBeNull();
  await expect(change(`resendMail(id: "${ours!.id}")`, selection)).rejects.toThrow(ours!.id);
  await until("both", () => (smtp.to("shared@acme.example").length === 2 ? true : undefined));
});
