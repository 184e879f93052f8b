import { describe, expect, test } from "vitest";
import { sampleDocument, sampleLine } from "../../test/support/sample-document.js";
import { parseCurrency } from "../kernel/currency.js";
import { parseInstant } from "../kernel/instant.js";
import { utc } from "../kernel/time-zone.js";
import { parseTimeZone } from "../kernel/time-zone.js";
import type { OrganizationId } from "../kernel/ids.js";
import { attachment_bytes_max, composeMail } from "./compose-mail.js";
import { contentFaults, contentFromJson, contentToJson, type MailContent } from "./core/index.js";
import { letterOf, type LetterContext } from "./letter.js";
import { htmlOf, textOf } from "./letter-body.js";
import { mail_settings_default } from "./store/mail-settings.js";
import type { Mail } from "./store/mails.js";

const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, " ");
const at = (text: string) => parseInstant(text)!;
const amount = { currency: parseCurrency("EUR")!, minor: 123456n };
const link = "https://pay.nimbus.example/p/1?a=1&b=2";
const context: LetterContext = {
  seller: "Nimbus GmbH",
  buyer: "Acme",
  locale: "en-GB",
  timeZone: parseTimeZone("Europe/Berlin")!,
  document: sampleDocument(),
  hasEInvoice: false,
};
const written = (content: MailContent, more: Partial<LetterContext> = {}) => {
  const letter = letterOf(content, { ...context, ...more });
  return [letter.subject, ...letter.paragraphs, letter.action?.label].map((text) => plain(text ?? ""));
};
const contents: readonly MailContent[] = [
  { kind: "invoice" },
  {
    kind: "receipt",
    invoiceNumber: "INV-1",
    amount,
    paidAt: at("2026-05-31T22:30:00Z"),
    method: "VISA •••• 4242",
    link,
  },
  {
    kind: "payment_failed",
    invoiceNumber: "INV-1",
    amount,
    reason: "Declined",
    nextAttemptAt: at("2026-06-03T08:00:00Z"),
    link,
  },
  { kind: "card_update", method: "VISA •••• 4242", expires: "04/27", link },
  {
    kind: "dunning_final",
    invoiceNumber: "INV-1",
    amount,
    action: "cancel",
    at: at("2026-06-20T08:00:00Z"),
    link,
  },
  { kind: "test" },
];

describe("in English", () => {
  test("an invoice says what it is over and when it is due, or that nothing is", () => {
    expect(written({ kind: "invoice" })).toEqual([
      "Invoice NIM-2026-000042 from Nimbus GmbH",
      "Attached you find invoice NIM-2026-000042 over €752.20.",
      "€652.20 is due by 1 May 2026.",
      "",
    ]);
    const paid = sampleDocument({ amountDueMinor: 0n });
    expect(written({ kind: "invoice" }, { document: paid, hasEInvoice: true }).slice(2, 4)).toEqual([
      "There is nothing left to pay.",
      "The XML file is the same invoice as an e-invoice (EN 16931), for your accounting.",
    ]);
  });

  test("the others name amount, invoice, day in the customer's zone, and where to go", () => {
    expect(contents.slice(1).map((content) => written(content))).toEqual([
      [
        "Your payment of invoice INV-1",
        "We received your payment of €1,234.56 for invoice INV-1 on 1 Jun 2026. Thank you.",
        "Paid by VISA •••• 4242.",
        "See the payment",
      ],
      [
        "The payment of invoice INV-1 failed",
        "We could not collect €1,234.56 for invoice INV-1.",
        "Reason: Declined",
        "We will try again on 3 Jun 2026. You can pay earlier, or give another payment method.",
        "Pay or change the payment method",
      ],
      [
        "Please update your payment method with Nimbus GmbH",
        "Your payment method VISA •••• 4242 expires 04/27. Please give a new one, so that later payments succeed.",
        "Update the payment method",
      ],
      [
        "Last reminder: invoice INV-1 is not paid",
        "€1,234.56 of invoice INV-1 is still not paid, after several attempts.",
        "Without a payment, your subscription ends on 20 Jun 2026.",
        "Pay or change the payment method",
      ],
      [
        "A test of the mail that Weir sends",
        "This mail shows that Weir can send mail for Nimbus GmbH. There is nothing to do.",
        "",
      ],
    ]);
  });
});

test("a decline is told in plain words of the language, and what is the bank's to tell is not told", () => {
  const failed = (decline: string, locale = "en") =>
    written({ kind: "payment_failed", invoiceNumber: "INV-1", amount, decline }, { locale }).slice(2);
  expect(failed("insufficient_funds")).toEqual(["Reason: there is not enough money on the account.", ""]);
  expect(failed("insufficient_funds", "de")).toEqual(["Grund: Das Konto ist nicht ausreichend gedeckt.", ""]);
  for (const code of ["fraudulent", "do_not_honor", "constructor"])
    expect(failed(code)[0]).toBe("Reason: the bank declined it. It can tell you why.");
});

test("without an address to lead to, a mail says the same without a button", () => {
  for (const content of contents.slice(2, 5)) {
    const { link: _link, ...rest } = content as Extract<MailContent, { link?: string }>;
    expect(written(rest as MailContent).slice(0, -1)).toEqual(written(content).slice(0, -1));
    expect(written(rest as MailContent).at(-1)).toBe("");
  }
});

test("in German, with German amounts and days", () => {
  const german = contents.map((content) => written(content, { locale: "de-AT" }));
  expect(german.map(([subject]) => subject)).toEqual([
    "Rechnung NIM-2026-000042 von Nimbus GmbH",
    "Ihre Zahlung der Rechnung INV-1",
    "Die Zahlung der Rechnung INV-1 ist fehlgeschlagen",
    "Bitte aktualisieren Sie Ihre Zahlungsart bei Nimbus GmbH",
    "Letzte Mahnung: Rechnung INV-1 ist nicht bezahlt",
    "Ein Test der E-Mails, die Weir verschickt",
  ]);
  expect(german[4]![1]).toMatch(/1\s?[.]?234,56.* der Rechnung INV-1 sind nach mehreren Versuchen/);
});

test("in other languages English, with English amounts and days", () => {
  expect(written(contents[1]!, { locale: "fr-FR" })[1]).toContain(
    "€1,234.56 for invoice INV-1 on Jun 1, 2026",
  );
});

test("text and HTML say the same, and HTML holds no text as markup", () => {
  const letter = letterOf({ ...contents[2]!, reason: '<script>"x" & y' } as MailContent, {
    ...context,
    buyer: "<b>Acme",
  });
  const [text, html] = [textOf(letter), htmlOf(letter)];
  for (const paragraph of letter.paragraphs) expect(text).toContain(paragraph);
  expect(text).toContain(link);
  expect(html).toContain("&lt;script&gt;&quot;x&quot; &amp; y");
  expect(html).not.toMatch(/<script|<b>/);
  expect(html.match(/https?:\/\/[^"<]+/g)).toEqual([
    "https://pay.nimbus.example/p/1?a=1&amp;b=2",
    "https://pay.nimbus.example/p/1?a=1&amp;b=2",
  ]);
});

test("a content is the same after a store", () => {
  for (const content of contents) {
    expect(contentFromJson(JSON.parse(JSON.stringify(contentToJson(content))) as never)).toEqual(content);
    expect(contentFaults(content)).toEqual([]);
  }
  expect(() => contentFromJson({ kind: "other" })).toThrow(RangeError);
  expect(() => contentFromJson({ kind: "receipt", amount: { currency: "EUR" } })).toThrow(RangeError);
});

const mail: Mail = {
  id: "eml_1" as never,
  kind: "invoice",
  key: "inv_1",
  recipient: "ap@acme.example",
  addressedTo: undefined,
  buyer: "Acme",
  customer: undefined,
  invoice: undefined,
  locale: undefined,
  timeZone: utc,
  content: { kind: "invoice" },
  state: "queued",
  reason: undefined,
  reply: undefined,
  sending: 1,
  attempts: 1,
  createdAt: at("2026-06-01T00:00:00Z"),
  queuedAt: at("2026-06-01T00:00:00Z"),
  dueAt: at("2026-06-01T00:00:00Z"),
  sentAt: undefined,
};

test("an e-invoice that would make the mail too large is left out", async () => {
  const lines = Array.from({ length: 12_000 }, () => sampleLine({ note: "x".repeat(500) }));
  const total = 12_000n * 1_000n;
  const tax = (total * 19n) / 100n;
  const document = sampleDocument({
    sections: [{ title: "Plan", subtitle: undefined, period: undefined, lines }],
    subtotalMinor: total,
    credits: [],
    taxes: [{ ...sampleDocument().taxes[0]!, taxableMinor: total, taxMinor: tax }],
    totalMinor: total + tax,
    settlements: [],
    amountDueMinor: total + tax,
  });
  const sender = {
    from: { name: undefined, address: "mail@weir.example" },
    name: "Nimbus",
    email: undefined,
  };
  const compose = (of: typeof document) =>
    composeMail("org_1" as OrganizationId, mail, { sender, settings: mail_settings_default, document: of });
  const large = await compose(document);
  expect(large.attachments.map(({ name }) => name)).toEqual(["NIM-2026-000042.pdf"]);
  expect(large.attachments[0]!.content.byteLength).toBeLessThan(attachment_bytes_max);
  expect(large.text).not.toContain("XML");
  const small = await compose(sampleDocument());
  expect(small.attachments.map(({ name }) => name)).toEqual(["NIM-2026-000042.pdf", "NIM-2026-000042.xml"]);
}, 60_000);
