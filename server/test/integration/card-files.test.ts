// An acquirer that works by files: charges out, and what the schemes' files and its responses say back.
import { createHash } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ProviderAccountId } from "../../src/kernel/ids.js";
import { shortReferenceOf } from "../../src/payments/core/index.js";
import { eventually } from "../support/eventually.js";
import { base2Draft, base2File } from "../support/settlement/base2-file.js";
import { cardResponsesFile } from "../support/settlement/card-responses-file.js";
import {
  ipm_institution,
  ipmFile,
  presentment,
  type IpmMessageSpec,
} from "../support/settlement/ipm-file.js";
import { openSettlementWorld, type SettlementWorld } from "../support/settlement/settlement-world.js";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";

let weir: TestWeir;
let world: SettlementWorld;
let account: ProviderAccountId;
let worlds = 0;
let files = 0;
const payments = () => weir.weir.services.payments;

beforeAll(async () => {
  weir = await startTestWeir("card-files");
});
afterAll(() => weir?.close());
beforeEach(async () => {
  worlds += 1;
  files = 0;
  world = await openSettlementWorld(weir, `card-files-${worlds}`);
  ({ id: account } = await payments().accounts.create(world.caller, {
    key: "acquirer",
    provider: "card_files",
    settings: {
      acquirerId: "ACQ1",
      merchantId: "M-100",
      firstSequence: "41",
      closingHour: "18",
      timeZone: "Europe/Berlin",
    },
  }));
  await payments().methods.attach(world.caller, {
    customer: "acme",
    account: "acquirer",
    method: "tok_acme",
    brand: "mastercard",
    last4: "4444",
    expires: "2028-12",
  });
});

const attemptOf = async (id: string) => (await payments().charges.findAttempt(world.organization, id))!;
const attemptsOf = (invoice: string) =>
  payments().charges.attemptsOf(world.organization, { invoice, limit: 20 });
const stateOf = async (invoice: string) =>
  (await payments().receivables.find(world.organization, invoice))?.state;
const batchesOf = () => payments().batches.list(world.organization, { account, limit: 50 });
const exceptions = () =>
  weir.weir.services.settlement.exceptions.list(world.organization, { state: "open", limit: 50 });

/** An invoice whose charge waits in the open batch. */
async function charged() {
  const invoice = await world.invoice();
  const [attempt] = await eventually(
    () => attemptsOf(invoice.id),
    ([one]) => one?.state === "processing",
  );
  return { invoice: invoice.id, number: invoice.number, attempt: attempt!, reference: attempt!.ref! };
}
async function closed() {
  const { id } = await payments().batches.close(world.caller, "acquirer");
  return ended(id);
}
const ended = async (id: string) =>
  (await eventually(
    () => payments().batches.find(world.organization, id),
    (batch) => batch?.state === "closed",
  ))!;
async function download(id: string, extension = "csv") {
  const response = await weir.fetch(`/v1/payment-batches/${id}.${extension}`, { key: world.key });
  return { status: response.status, headers: response.headers, text: await response.text() };
}
/** A Mastercard clearing file of the acquirer's. */
function ipm(...messages: IpmMessageSpec[]) {
  files += 1;
  return world.settle(
    account,
    `ipm-${files}.ipm`,
    ipmFile({ messages, fileId: `00226082100000001234${files.toString().padStart(5, "0")}` }),
  );
}
const euros = (minor: bigint) => ({
  4: minor.toString().padStart(12, "0"),
  5: minor.toString().padStart(12, "0"),
  49: "978",
  50: "978",
});
const arnOf = (number: number) => `255555562320012345678${number.toString().padStart(2, "0")}`;
const sale = (reference: string, number = 1, minor = 2_000n) =>
  presentment({ elements: { ...euros(minor), 37: reference, 31: arnOf(number) }, pds: { 148: "9782" } });
const chargeback = (number: number, minor: bigint, issuers: string): IpmMessageSpec => ({
  ...presentment({
    elements: { ...euros(minor), 31: arnOf(number), 37: "            ", 95: issuers.padEnd(10), 25: "4853" },
    pds: { 148: "9782" },
  }),
  type: "1442",
  function: "450",
});
const fee = (minor: bigint): IpmMessageSpec => ({
  type: "1740",
  function: "700",
  elements: {
    3: "290000",
    ...euros(minor),
    33: "012345",
    73: "260301",
    94: ipm_institution,
    93: "00000005678",
  },
  pds: { 137: `${minor}CTRL`, 148: "9782" },
});

async function captured(number = 1) {
  const charge = await charged();
  await closed();
  await ipm(sale(charge.reference, number));
  expect(await stateOf(charge.invoice)).toBe("paid");
  const [payment] = await payments().charges.payments(world.organization, {
    invoice: charge.invoice,
    limit: 1,
  });
  return { ...charge, payment: payment! };
}

describe("an account and its tokens", () => {
  test("faults of its settings are told by field", async () => {
    const create = (settings: Record<string, string>) =>
      payments().accounts.create(world.caller, {
        key: "other",
        provider: "card_files",
        settings: { acquirerId: "A", merchantId: "M", ...settings },
      });
    await expect(create({ closingHour: "24" })).rejects.toThrow(/closingHour: a whole number from 0 to 23/);
    await expect(create({ firstSequence: "0" })).rejects.toThrow(/firstSequence/);
    await expect(create({ timeZone: "Mars" })).rejects.toThrow(/timeZone: an IANA time zone/);
    await expect(create({ visaEvidenceDays: "500" })).rejects.toThrow(/visaEvidenceDays/);
    await expect(create({ merchantId: "a b" })).rejects.toThrow(/merchantId/);
    await expect(create({ institutions: "1,,2, !" })).rejects.toThrow(/institutions/);
  });

  test("a card's number is never taken for a token, and what is said of a card is checked", async () => {
    const attach = (method: string, more = {}) =>
      payments().methods.attach(world.caller, { customer: "acme", account: "acquirer", method, ...more });
    await expect(attach("4111 1111 1111 1111")).rejects.toThrow(/looks like a card's number/);
    await expect(attach("4111111111111111")).rejects.toMatchObject({ slug: "provider-refused" });
    await expect(attach("tok_2", { last4: "44", expires: "2028-13" })).rejects.toThrow(/last4: .*expires: /);
    expect(await attach("tok_2", { brand: "visa", last4: "1111" })).toMatchObject({
      kind: "card",
      brand: "visa",
      last4: "1111",
      isDefault: false,
    });
    const page = { customer: "acme", account: "acquirer", returnUrl: "https://example.com" };
    await expect(payments().methods.setupPage(world.organization, page)).rejects.toThrow(
      "Card files has no page on which a customer enters a card: enter cards in the acquirer's vault, and attach the token that it makes.",
    );
  });
});

describe("a batch", () => {
  test("collects charges until its hour, and goes out as one file that never changes", async () => {
    const one = await charged();
    const two = await charged();
    expect(one.reference).toBe(shortReferenceOf(one.attempt.id));
    const [open] = await batchesOf();
    expect(open).toMatchObject({ state: "open", sequence: 41n, items: 2, account });
    expect(await download(open!.id)).toMatchObject({ status: 409 });
    await world.advance("2026-03-01T16:59:59Z");
    expect((await batchesOf())[0]).toMatchObject({ state: "open" });
    await world.advance("2026-03-01T17:00:00Z");
    const batch = await ended(open!.id);
    expect(batch).toMatchObject({ closedBy: "system", items: 2, file: { name: "charges-M-100-000041.csv" } });

    // In the order of the items, which came in one moment.
    const items = await payments().batches.items(world.organization, batch.id, { limit: 5 });
    const lines = items.map(({ reference, position }, index) => {
      const { number } = reference === one.reference ? one : two;
      expect(position).toBe(index + 1);
      return `D,${index + 1},charge,${reference},tok_acme,EUR,2,2000,,,${number}`;
    });
    const first = await download(batch.id);
    expect(first.status).toBe(200);
    expect(first.text).toBe(
      [
        "H,WEIR-CARD-CHARGES,1,ACQ1,M-100,41,2026-03-01T17:00:00Z,2,,,",
        ...lines,
        "C,EUR,2,2,4000,,,,,,",
        "T,41,2,4000,,,,,,,",
        "",
      ].join("\r\n"),
    );
    expect(createHash("sha256").update(first.text).digest("hex")).toBe(batch.file!.sha256);
    expect(first.headers.get("content-disposition")).toContain("charges-M-100-000041.csv");
    expect((await download(batch.id)).text).toBe(first.text);
    expect(await download(batch.id, "xml")).toMatchObject({ status: 404 });
    expect((await weir.fetch(`/v1/payment-batches/pbt_none.csv`, { key: world.key })).status).toBe(404);
    for (const { attempt } of [one, two]) expect((await attemptOf(attempt.id)).state).toBe("processing");
  });

  test("numbers are without gaps, also over one that was emptied; what is settled of the account goes into the file as it is then", async () => {
    const { attempt } = await charged();
    expect(await payments().charges.cancel(world.caller, attempt.id)).toMatchObject({ state: "canceled" });
    await expect(payments().batches.close(world.caller, "acquirer")).rejects.toMatchObject({
      slug: "payment-batch-empty",
    });
    await world.advance("2026-03-01T20:00:00Z");
    expect(await batchesOf()).toMatchObject([{ sequence: 41n, state: "open", items: 0 }]);
    await charged();
    expect(await batchesOf()).toMatchObject([{ sequence: 41n, state: "open", items: 1 }]);
    await payments().accounts.update(world.caller, {
      account: "acquirer",
      settings: { merchantId: "M-200" },
    });
    const first = await closed();
    await charged();
    const second = await closed();
    expect([first, second].map(({ sequence }) => sequence)).toEqual([41n, 42n]);
    await payments().accounts.update(world.caller, {
      account: "acquirer",
      settings: { merchantId: "M-300" },
    });
    expect((await download(first.id)).text).toMatch(/^H,WEIR-CARD-CHARGES,1,ACQ1,M-200,41,/);
  });

  test("what went out cannot be canceled, and the database keeps it as it is", async () => {
    const { attempt } = await charged();
    const batch = await closed();
    expect(await payments().charges.cancel(world.caller, attempt.id)).toMatchObject({ state: "processing" });
    const inOrganization = (work: Parameters<typeof weir.weir.services.postgres.inOrganization>[1]) =>
      weir.weir.services.postgres.inOrganization(world.organization, work);
    await expect(
      inOrganization((sql) => sql`UPDATE payment_batch_items SET amount_minor = 1 WHERE batch = ${batch.id}`),
    ).rejects.toThrow(/went out with batch/);
    await expect(
      inOrganization(
        (sql) =>
          sql`UPDATE payment_batches SET sha256 = decode(repeat('00', 32), 'hex') WHERE id = ${batch.id}`,
      ),
    ).rejects.toThrow(/is closed/);
    await expect(inOrganization((sql) => sql`DELETE FROM payment_batch_items`)).rejects.toThrow(
      /permission denied/,
    );
  });

  test("the same call again writes nothing more, and a call about another's item finds none", async () => {
    const { attempt } = await charged();
    const { provider, account: opened } = await weir.weir.services.postgres.inOrganization(
      world.organization,
      (sql) => payments().accounts.open(sql, world.organization, "acquirer"),
    );
    const charge = {
      attempt: attempt.id,
      amount: { currency: attempt.currency, minor: attempt.amount },
      customerRef: "acme",
      methodRef: "tok_acme",
      description: "again",
      target: "inv",
    };
    const charging = provider.charging!;
    expect(await charging.create(opened, charge)).toEqual({ kind: "processing", ref: attempt.ref });
    expect(await charging.confirm(opened, { ...charge, ref: attempt.ref! })).toEqual({
      kind: "processing",
      ref: attempt.ref,
    });
    expect((await batchesOf())[0]).toMatchObject({ items: 1 });
    const question = { ref: undefined, customerRef: "acme", sentAt: attempt.sentAt };
    expect(await charging.lookUp(opened, { ...question, attempt: attempt.id })).toMatchObject({
      kind: "processing",
    });
    expect(await charging.lookUp(opened, { ...question, attempt: "pat_other" as never })).toBe("not_found");
    expect(charging.amountFault({ currency: attempt.currency, minor: 10n ** 12n })).toMatch(/twelve digits/);
  });

  test("an amount, a currency that the account does not charge in: refused before anything waits", async () => {
    await payments().accounts.update(world.caller, { account: "acquirer", currencies: ["USD"] });
    const { id } = await world.invoice();
    await expect(payments().charges.pay(world.caller, { invoice: id })).rejects.toThrow(
      /charges in USD, not in EUR/,
    );
    expect(await batchesOf()).toEqual([]);
  });
});

describe("what the files say", () => {
  test("a Mastercard presentment that names the charge captures it, with the acquirer's fee apart", async () => {
    const { invoice, attempt, reference } = await charged();
    await closed();
    const file = await ipm(sale(reference), fee(35n));
    expect(file).toMatchObject({ state: "posted", format: "mastercard-ipm", records: 2, unmatched: 0 });
    expect(await stateOf(invoice)).toBe("paid");
    expect(await attemptOf(attempt.id)).toMatchObject({ state: "succeeded", ref: reference });
    expect(await world.balance(`receivable:${world.customer}`)).toBe(0n);
    expect(await world.balance("provider_fees")).toBe(35n);
    expect(await world.balance(`provider_clearing:${account}`)).toBe(1_965n);
    expect(await exceptions()).toEqual([]);
    await world.checkBooks();
  });

  test("a Visa draft that names the charge as its purchase captures it", async () => {
    const { invoice, attempt, reference } = await charged();
    await closed();
    const draft = base2Draft({ source: 2_000n, sourceCurrency: "978", purchaseId: reference });
    const file = await world.settle(account, "visa.ctf", base2File({ transactions: [draft] }));
    expect(file).toMatchObject({ state: "posted", format: "visa-base2", unmatched: 0 });
    expect(await stateOf(invoice)).toBe("paid");
    expect((await attemptOf(attempt.id)).state).toBe("succeeded");
    await world.checkBooks();
  });

  test("a response that rejects declines by its code; what was accepted waits for its clearing", async () => {
    const one = await charged();
    const two = await charged();
    const three = await charged();
    const { sequence } = await closed();
    const file = await world.settle(
      account,
      "responses.csv",
      cardResponsesFile({
        batch: sequence,
        answers: [
          { reference: one.reference, code: "51" },
          { reference: two.reference, code: "54", message: 'card "expired", says the issuer' },
          { reference: three.reference, result: "accepted" },
        ],
      }),
    );
    expect(file).toMatchObject({ state: "posted", format: "card-responses", records: 2, unmatched: 0 });
    expect(await attemptOf(one.attempt.id)).toMatchObject({
      state: "failed",
      decline: { code: "insufficient_funds", hardness: "soft" },
    });
    expect(await attemptOf(two.attempt.id)).toMatchObject({
      state: "failed",
      decline: { code: "expired_card", hardness: "hard", message: 'card "expired", says the issuer' },
    });
    expect((await attemptOf(three.attempt.id)).state).toBe("processing");
    const dunning = async (invoice: string) =>
      (await payments().receivables.find(world.organization, invoice))?.dunning.state;
    expect(await dunning(one.invoice)).toBe("retrying");
    expect(await dunning(two.invoice)).toBe("waiting");
    expect(await world.balance(`provider_clearing:${account}`)).toBe(0n);
    // Told once more, in another file: nothing more comes of it.
    await world.settle(
      account,
      "again.csv",
      cardResponsesFile({
        batch: sequence,
        response: 2,
        answers: [{ reference: one.reference, code: "51" }],
      }),
    );
    expect((await attemptsOf(one.invoice)).map(({ state }) => state)).toEqual(["failed"]);
    await world.checkBooks();
  });

  test("a response that is damaged is refused with its line and field, and so is one whose trailer counts otherwise", async () => {
    const answers = [{ reference: "ABC", code: "51" }];
    const refused = async (content: string) => {
      files += 1;
      const file = await world.settle(account, `bad-${files}.csv`, content);
      return `${file.state} ${file.refusal?.line ?? "-"} ${file.refusal?.field ?? "-"} ${file.refusal?.detail ?? "-"}`;
    };
    expect(await refused(cardResponsesFile({ batch: 1, answers, wrong: { version: "2" } }))).toMatch(
      /^refused 1 column 3 \(version\) version "2" is not known/,
    );
    expect(await refused(cardResponsesFile({ batch: 1, answers, wrong: { trailer: "missing" } }))).toMatch(
      /^refused .*ends without its trailer/,
    );
    expect(await refused(cardResponsesFile({ batch: 1, answers: [{ reference: "A B" }] }))).toMatch(
      /^refused 2 column 3 \(reference\)/,
    );
    expect(await refused(cardResponsesFile({ batch: 1, answers: [{ reference: "AB" }] }))).toMatch(
      /^refused 2 column 6 \(code\) a rejected item needs a code/,
    );
    expect(
      await refused(
        cardResponsesFile({ batch: 1, answers: [{ reference: "AB", code: "05", currency: "XXX" }] }),
      ),
    ).toMatch(/^refused 2 column 5 \(currency\)/);
    expect(await refused(cardResponsesFile({ batch: 1, answers, wrong: { trailer: 2 } }))).toMatch(
      /^refused 3 column 2 \(number\) the trailer counts 2 answers, and there are 1/,
    );
  });

  test("a charge that no file tells of is missed after some days, and found when one does", async () => {
    const { reference, attempt } = await charged();
    await closed();
    // The first file of the organization begins the daily look.
    await ipm(fee(10n));
    await world.advance("2026-03-08T00:00:00Z");
    expect((await exceptions()).filter(({ kind }) => kind === "missing_in_file")).toEqual([]);
    await world.advance("2026-03-10T00:00:00Z");
    expect((await exceptions()).filter(({ kind }) => kind === "missing_in_file")).toMatchObject([
      { target: { kind: "attempt", id: attempt.id }, amount: { minor: 2_000n } },
    ]);
    expect((await attemptOf(attempt.id)).state).toBe("processing");
    await ipm(sale(reference));
    expect(await exceptions()).toEqual([]);
    expect((await attemptOf(attempt.id)).state).toBe("succeeded");
  }, 120_000);

  test("one that is declined and then cleared all the same is for a person, who is believed", async () => {
    const { invoice, attempt, reference } = await charged();
    const { sequence } = await closed();
    const answers = [{ reference, code: "54" }];
    await world.settle(account, "r.csv", cardResponsesFile({ batch: sequence, answers }));
    await ipm(sale(reference));
    const [open] = await exceptions();
    expect(open).toMatchObject({ kind: "unmatched", suspense: 2_000n });
    await weir.weir.services.settlement.exceptions.resolve(world.caller, {
      exception: open!.id,
      version: open!.version,
      resolution: { kind: "match", target: attempt.id },
    });
    expect(await stateOf(invoice)).toBe("paid");
    expect((await exceptions()).map(({ kind }) => kind)).toEqual(["late_capture"]);
    await world.checkBooks();
  });
});

describe("a refund", () => {
  test("goes out with the next file, names its charge, and is done when the clearing has it", async () => {
    const { payment, reference, number } = await captured();
    const refund = await payments().refunds.create(world.caller, {
      payment: payment.id,
      amount: 500n,
      source: "goodwill",
      reason: "sorry",
    });
    const { ref } = (await eventually(
      () => payments().refunds.find(world.organization, refund.id),
      (one) => one?.ref !== undefined,
    ))!;
    const batch = await closed();
    expect((await download(batch.id)).text).toContain(
      `D,1,refund,${ref},,EUR,2,500,${reference},,Refund ${number}\r\n`,
    );
    await ipm(
      presentment({
        elements: { ...euros(500n), 3: "200000", 37: ref!, 31: arnOf(2) },
        pds: { 148: "9782" },
      }),
    );
    expect(await payments().refunds.find(world.organization, refund.id)).toMatchObject({
      state: "succeeded",
    });
    expect(await world.balance(`provider_clearing:${account}`)).toBe(1_500n);
    expect(await exceptions()).toEqual([]);
    await world.checkBooks();
  });

  test("that is rejected has failed, and the money is back in the books", async () => {
    const { payment } = await captured();
    const refund = await payments().refunds.create(world.caller, {
      payment: payment.id,
      source: "goodwill",
      reason: "sorry",
    });
    const { ref } = (await eventually(
      () => payments().refunds.find(world.organization, refund.id),
      (one) => one?.ref !== undefined,
    ))!;
    const { sequence } = await closed();
    await world.settle(
      account,
      "r.csv",
      cardResponsesFile({ batch: sequence, answers: [{ reference: ref!, code: "14" }] }),
    );
    expect(await payments().refunds.find(world.organization, refund.id)).toMatchObject({ state: "failed" });
    expect(await world.balance(`provider_clearing:${account}`)).toBe(2_000n);
    expect((await exceptions()).map(({ kind }) => kind)).toEqual(["refund_failed"]);
    await world.checkBooks();
  });
});

describe("a chargeback", () => {
  const disputesOf = (payment: string) => payments().disputes.list(world.organization, { payment, limit: 5 });

  test("is found by the acquirer reference number, has its scheme's deadline, is answered by file, and is won", async () => {
    const { payment, reference } = await captured(7);
    await world.advance("2026-03-05T09:00:00Z");
    await ipm(chargeback(7, 2_000n, "ISS0000007"));
    const [dispute] = await disputesOf(payment.id);
    expect(dispute).toMatchObject({ state: "needs_response", ref: "ISS0000007", amount: { minor: 2_000n } });
    // 45 days after the file came: this one says nothing of when it was settled.
    expect(new Date(dispute!.evidenceDueAt! / 1000).toISOString()).toBe("2026-04-19T09:00:00.000Z");
    expect(await world.balance(`disputes:${account}`)).toBe(2_000n);

    const evidence = { uncategorized_text: "delivered,\nsigned" };
    const kept = await payments().disputes.submitEvidence(world.caller, {
      dispute: dispute!.id,
      evidence,
      submit: false,
    });
    expect(kept).toMatchObject({ state: "needs_response" });
    const sent = await payments().disputes.submitEvidence(world.caller, {
      dispute: dispute!.id,
      evidence,
      submit: true,
    });
    expect(sent).toMatchObject({ state: "under_review" });
    const batch = await closed();
    expect((await download(batch.id)).text).toContain(
      `D,1,represent,${shortReferenceOf(dispute!.id)},,EUR,2,2000,${reference},ISS0000007,"uncategorized_text: delivered,\nsigned"\r\n`,
    );
    const more = { uncategorized_text: "and more" };
    await expect(
      payments().disputes.submitEvidence(world.caller, {
        dispute: dispute!.id,
        evidence: more,
        submit: true,
      }),
    ).rejects.toThrow(/answered by a file that went out/);

    await ipm({
      ...presentment({
        elements: { ...euros(2_000n), 31: arnOf(7), 37: "            ", 95: "ISS0000007" },
        pds: { 148: "9782" },
      }),
      function: "205",
    });
    expect((await disputesOf(payment.id))[0]).toMatchObject({ state: "won" });
    expect(await world.balance(`disputes:${account}`)).toBe(0n);
    expect(await world.balance(`provider_clearing:${account}`)).toBe(2_000n);
    expect(await exceptions()).toEqual([]);
    await world.checkBooks();
  });

  test("of Visa has its own deadline, and given in to it is lost; evidence that waited goes nowhere", async () => {
    await payments().accounts.update(world.caller, {
      account: "acquirer",
      settings: { visaEvidenceDays: "20" },
    });
    const { reference } = await charged();
    await closed();
    const draft = { source: 2_000n, sourceCurrency: "978", purchaseId: reference };
    await world.settle(account, "v1.ctf", base2File({ transactions: [base2Draft(draft)] }));
    const [payment] = await payments().charges.payments(world.organization, { limit: 5 });
    const back = base2Draft({ ...draft, code: "15", reason: "83" });
    await world.settle(account, "v2.ctf", base2File({ transactions: [back], fileId: "002" }));
    const [dispute] = await disputesOf(payment!.id);
    expect(dispute).toMatchObject({ state: "needs_response" });
    // The central processing date of the file, 6233: 21 August 2026.
    expect(new Date(dispute!.evidenceDueAt! / 1000).toISOString()).toBe("2026-09-10T00:00:00.000Z");
    const evidence = { uncategorized_text: "x" };
    await payments().disputes.submitEvidence(world.caller, { dispute: dispute!.id, evidence, submit: true });
    expect(await payments().disputes.accept(world.caller, dispute!.id)).toMatchObject({ state: "lost" });
    expect((await batchesOf()).filter(({ state }) => state === "open")).toMatchObject([{ items: 0 }]);
    expect(await world.balance("bad_debt")).toBe(2_000n);
    await world.checkBooks();
  });

  test("evidence that a file has no room for is refused", async () => {
    const { payment } = await captured(9);
    await ipm(chargeback(9, 2_000n, "ISS0000009"));
    const [dispute] = await disputesOf(payment.id);
    const evidence = { uncategorized_text: "x".repeat(5_000) };
    await expect(
      payments().disputes.submitEvidence(world.caller, { dispute: dispute!.id, evidence, submit: true }),
    ).rejects.toThrow(/room for 4000 characters/);
  });
});
