import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type {
  Dispute,
  InvoiceHead,
  InvoicePayment,
  Payment,
  PaymentAttempt,
  PaymentMethod,
  Receivable,
  Refund,
} from "@weir/sdk";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startStripeSimulator, type RunningStripeSimulator } from "../../server/simulators/stripe/index.js";
import { startWeirProcess, type WeirProcess } from "../../server/test/support/weir-process.js";
import { runWith, weirCommand, type CommandResult } from "./support/weir-command.js";

const secretKey = "sk_test_read_from_a_variable";
const webhookSecret = "whsec_read_from_standard_input";
const catalog = `plans:
  - key: team
    currency: USD
    graceHours: 0
    prices: [{ key: base, flat: "20", charge: flat, timing: arrears }]
`;

let folder: string;
let server: WeirProcess;
let stripe: RunningStripeSimulator;
let weir: ReturnType<typeof weirCommand>["weir"];
let json: ReturnType<typeof weirCommand>["json"];
/** All that commands printed. */
const printed: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "weir-cli-payments-"));
  server = await startWeirProcess(path.join(folder, "data"));
  const delays = { refund_ms: 20, available_ms: 0, payout_ms: 20, disputeDecision_ms: 20 };
  stripe = await startStripeSimulator({ port: 0, settings: { delays } });
  const commands = weirCommand(server.url, server.key);
  weir = async (...args) => {
    const result = await commands.weir(...args);
    printed.push(result.stdout, result.stderr);
    return result;
  };
  ({ json } = commands);
});
afterAll(async () => {
  await server?.stop();
  await stripe?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** With secrets in the environment or on standard input. */
async function weirWith(
  env: Record<string, string>,
  input: string,
  ...args: string[]
): Promise<CommandResult> {
  const result = await runWith({ WEIR_URL: server.url, WEIR_KEY: server.key, ...env }, args, { input });
  printed.push(result.stdout, result.stderr);
  return result;
}

async function eventually<T>(ask: () => Promise<T>, isDone: (value: T) => boolean): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    const value = await ask();
    if (isDone(value)) return value;
    if (tries > 60) throw new Error(`it never came to it: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const tokenOf = (number: string) => stripe.simulator.createPaymentMethod({ number });

test("an account takes its secrets from variables, files and standard input, never from the command line", async () => {
  const missing = await weir("payments", "setup-link", "nobody");
  expect(missing).toMatchObject({ code: 3 });
  expect((await weir("payments", "accounts")).stdout).toContain("weir payments account create");
  expect((await weir("payments", "providers")).stdout).toMatch(/stripe +secretKey +secret +yes/);
  const create = ["payments", "account", "create", "stripe", "--provider", "stripe"];
  const plain = await weir(...create, "--secret", "secretKey=sk_test_typed_in_plain_sight");
  expect(plain.code).toBe(2);
  expect(plain.stderr).toContain("does not belong on the command line");
  for (const secret of ["secretKey", "secretKey=env:NOT_THERE", "secretKey=@/not/there"])
    expect((await weir(...create, "--secret", secret)).code, secret).toBe(2);
  const twice = await weir(...create, "--secret", "secretKey=-", "--secret", "webhookSecret=-");
  expect(twice.stderr).toContain("holds one secret");

  const setting = ["--setting", `apiBase=${stripe.url}`];
  const made = await weirWith(
    { STRIPE_KEY: secretKey },
    "",
    ...create,
    ...setting,
    "--secret",
    "secretKey=env:STRIPE_KEY",
  );
  expect(made.code).toBe(0);
  expect(made.stdout).toMatch(/secrets +secretKey\n/);
  expect(made.stderr).toContain("--secret webhookSecret=-");
  const update = ["payments", "account", "update", "stripe"];
  expect((await weir(...update)).code).toBe(2);
  await weirWith({}, `${webhookSecret}\n`, ...update, "--secret", "webhookSecret=-");
  const file = path.join(folder, "key");
  await writeFile(file, `${secretKey}\n`);
  await weir(...update, "--secret", `secretKey=@${file}`, "--currency", "usd,eur");
  expect((await weir("payments", "accounts")).stdout).toMatch(
    /stripe +stripe +Stripe +USD, EUR +secretKey, webhookSecret/,
  );
  await weir(...update, "--all-currencies");
  const account = await json<{ webhookUrl: string; currencies: string[] }>(
    "payments",
    "account",
    "show",
    "stripe",
  );
  expect(account.currencies).toEqual([]);
  stripe.simulator.addWebhook({ url: account.webhookUrl, secret: webhookSecret });
});

test("a card is attached, an invoice is charged, and explain ends with how it was paid", async () => {
  await json("clock", "start", "--at", "2028-01-01");
  const file = path.join(folder, "catalog.yaml");
  await writeFile(file, catalog);
  await weir("plans", "apply", "-f", file, "--yes");
  for (const customer of ["acme", "checks", "doubter"]) {
    await json("customers", "create", customer, "--time-zone", "UTC");
    await json("subscriptions", "create", customer, "team");
  }
  const number = await weir("payments", "attach", "acme", "4242 4242 4242 4242");
  expect(number).toMatchObject({ code: 2 });
  expect(number.stderr).toContain("card's number");
  expect((await weir("payments", "methods")).stdout).toContain("weir payments setup-link");
  const first = await json<PaymentMethod>("payments", "attach", "acme", tokenOf("4242424242424242"));
  expect(first.isDefault).toBe(true);
  const second = await json<PaymentMethod>(
    "payments",
    "attach",
    "acme",
    tokenOf("5555555555554444"),
    "--default",
  );
  expect((await weir("payments", "methods", "--customer", "acme")).stdout).toMatch(
    /mastercard 4444 +2\d{3}-\d\d +yes +stripe/,
  );
  expect((await weir("payments", "default", first.id)).stdout).toContain("visa 4242 of acme, the default");
  expect((await weir("payments", "detach", second.id)).stdout).toContain("detached");
  const link = await weir("payments", "setup-link", "acme");
  expect(link.stdout.trim()).toMatch(/^http:\/\/\S+\/pay\/[\w-]{116}$/);
  expect((await fetch(link.stdout.trim(), { redirect: "manual" })).status).toBe(303);
  expect((await weir("payments", "setup-link", "acme", "--page")).stdout.startsWith(stripe.url)).toBe(true);
  await json("payments", "attach", "doubter", tokenOf("4242424242424242"));

  await json("clock", "advance", "--to", "2028-02-01");
  const [invoice] = await json<InvoiceHead[]>(
    "invoices",
    "list",
    "--customer",
    "acme",
    "--status",
    "finalized",
  );
  const [payment] = await json<Payment[]>("payments", "list", "--customer", "acme");
  expect(payment).toMatchObject({ amount: { amount: "20.00" }, allocations: [{ invoiceId: invoice?.id }] });
  const explained = await weir("invoices", "explain", invoice?.number ?? "");
  expect(explained.code).toBe(0);
  const [why = "", paid = ""] = explained.stdout.split(`Invoice ${invoice?.number}: paid`);
  expect(why).toMatch(/amount +20\.00 USD/);
  expect(paid).toMatch(/due +20\.00 USD\npaid +20\.00 USD\nopen +0\.00 USD/);
  expect(paid).toMatch(/pat_\w+ +1 +inv_\w+ +acme +succeeded +20\.00 +USD +visa 4242 at stripe +pi_\w+/);
  expect(paid).toMatch(/settled +20\.00 USD, less 0\.88 USD fee: 19\.12 USD/);
  expect(paid).toMatch(/movement +txn_\w+/);
  for (const reason of ["invoice.finalize", "payment.capture", "payment.settle"])
    expect(paid).toMatch(new RegExp(`${reason.replace(".", "\\.")} +\\S+ +\\S+ +\\S+ +\\d`));
  const how = await json<InvoicePayment>("invoices", "payment", invoice?.number ?? "");
  expect(how).toMatchObject({
    receivable: { state: "paid" },
    attempts: [{ state: "succeeded" }],
    payments: [{ id: payment?.id }],
  });
  const [attempt] = await json<PaymentAttempt[]>("payments", "attempts", "--invoice", invoice?.id ?? "");
  expect((await weir("payments", "attempt", attempt?.id ?? "")).stdout).toMatch(
    /succeeded +accepted +succeeded/,
  );
  expect((await weir("payments", "show", payment?.id ?? "")).stdout).toMatch(
    /to invoice +inv_\w+, 20\.00 USD/,
  );
  expect((await weir("payments", "attempts")).stdout).toContain("succeeded");
  expect((await weir("payments", "cancel", attempt?.id ?? "")).code).toBe(3);
  expect((await weir("payments", "look-up", attempt?.id ?? "")).stdout).toMatch(/state +succeeded/);
  expect(
    (await weir("payments", "settle", attempt?.id ?? "", "--outcome", "failed", "--reason", "no")).stderr,
  ).toContain("only an unknown outcome");
});

test("what is open is listed, paid, received elsewhere and written off, with totals", async () => {
  const overdue = async () => json<Receivable[]>("receivables", "list", "--overdue");
  await json("clock", "advance", "--to", "2028-04-05");
  const [first, second] = await overdue();
  expect(second).toMatchObject({ customer: { key: "checks" }, open: { amount: "20.00" }, overdue: true });
  expect((await weir("receivables", "list", "--overdue")).stdout).toMatch(/overdue[\s\S]*open 40\.00 USD/);
  const invoice = first?.invoiceId ?? "";
  const none = await weir("invoices", "pay", invoice);
  expect(none).toMatchObject({ code: 3 });
  expect(none.stderr).toContain("no default payment method");
  const received = await weir(
    ["payments", "receive", "checks", "12.50"],
    ["--currency", "USD", "--reference", "check 1", "--invoice", invoice, "--note", "by post"],
  );
  expect(received.stdout).toMatch(/checks +12\.50 +USD/);
  const bad = await weir(
    "payments",
    "receive",
    "checks",
    "12.505",
    "--currency",
    "USD",
    "--reference",
    "check 2",
  );
  expect(bad).toMatchObject({ code: 3 });
  expect(bad.stderr).toContain("USD has 2 decimals");
  await json("payments", "attach", "checks", tokenOf("4242424242424242"));
  const paid = await json<PaymentAttempt>("invoices", "pay", invoice, "--amount", "2.50");
  expect(paid).toMatchObject({ state: "succeeded", amount: { amount: "2.50" } });
  const declining = await json<PaymentMethod>("payments", "attach", "checks", tokenOf("4000000000000002"));
  const declined = await weir("invoices", "pay", invoice, "--amount", "1.00", "--method", declining.id);
  expect(declined.code).toBe(1);
  expect(declined.stdout).toMatch(/declined +generic_decline \(soft\)/);
  expect(declined.stderr).toContain("no money was taken: generic_decline");
  const off = await weir("invoices", "write-off", second?.invoiceId ?? "", "--reason", "bankrupt");
  expect(off.stdout).toMatch(/checks +uncollectible +20\.00/);
  expect((await weir("payments", "list")).stdout).toMatch(/received [\d ]+\.\d\d USD/);
});

test("money goes back, and the books say from where", async () => {
  const [payment] = await json<Payment[]>("payments", "list", "--customer", "acme");
  const id = payment?.id ?? "";
  const create = ["refunds", "create", id, "--reason", "sorry"];
  expect((await weir(...create)).code).toBe(2);
  const made = await json<Refund>(...create, "--source", "goodwill", "--amount", "5.00");
  const beyond = await weir(...create, "--source", "goodwill", "--amount", "15.01");
  expect(beyond).toMatchObject({ code: 3 });
  expect(beyond.stderr).toContain("15.00 USD can be given back");
  await eventually(
    () => json<Refund>("refunds", "show", made.id),
    ({ state }) => state === "succeeded",
  );
  await json<Refund>(...create, "--source", "goodwill", "--amount", "1.00");
  expect((await weir("refunds", "list", "--payment", id)).stdout).toMatch(
    /goodwill[\s\S]*given back 6\.00 USD/,
  );
  expect((await weir("payments", "show", id)).stdout).toMatch(
    /refund\.make +ref_\w+ +refunds +provider_clearing:pac_\w+ +5\.00/,
  );
});

test("disputes take evidence and are given in to, payouts are listed, events are processed again", async () => {
  expect((await weir("disputes", "list")).stdout).toContain("No disputes.");
  const [payment] = await json<Payment[]>("payments", "list", "--customer", "doubter");
  const intent = await stripe.simulator.handle({
    method: "GET",
    path: `/v1/payment_intents/${payment?.providerRef}`,
    headers: { authorization: `Bearer ${secretKey}` },
    body: "",
  });
  if (typeof intent === "string") throw new Error("the simulator gave no answer");
  stripe.simulator.payOut("usd");
  stripe.simulator.dispute((JSON.parse(intent.body) as { latest_charge: string }).latest_charge);
  const [dispute] = await eventually(
    () => json<Dispute[]>("disputes", "list"),
    (found) => found.length > 0,
  );
  const id = dispute?.id ?? "";
  const file = path.join(folder, "evidence");
  await writeFile(file, "it was delivered");
  const kept = await weir("disputes", "evidence", id, "--field", `uncategorized_text=@${file}`);
  expect(kept.stdout).toMatch(/uncategorized_text +it was delivered/);
  expect(kept.stderr).toContain("not sent yet");
  expect((await weir("disputes", "accept", id)).code).toBe(2);
  expect((await weir("disputes", "accept", id, "--yes")).stdout).toMatch(/state +lost/);
  expect((await weir("disputes", "show", id)).stdout).toMatch(/fee +15\.00 USD/);
  expect((await weir("payouts", "list", "--account", "stripe")).stdout).toMatch(
    /pyo_\w+ +stripe +(pending|in_transit|paid)/,
  );

  const events = await json<{ id: string; state: string }[]>("payments", "events", "--state", "processed");
  const replayed = await weir("payments", "events", "--replay", events[0]?.id ?? "");
  expect(replayed.stdout).toContain("is processed again");
  expect((await weir("payments", "events", "--replay", "evt_unknown")).stderr).toContain("There is no event");
  expect((await weir("payments", "events", "--backfill")).stdout).toMatch(/^\d+ events had never come/);
  expect((await weir("payments", "events", "--limit", "3")).stdout).toContain("stripe");
});

test("dunning is shown, changed, previewed, paused and resumed", async () => {
  expect((await weir("dunning", "schedule")).stdout).toMatch(/days 1, 3, 5, 7, 9, 11, 13 .*\nat +10:00/);
  expect((await weir("dunning", "set")).code).toBe(2);
  const set = await weir("dunning", "set", "--retry-days", "2,4", "--end-days", "6", "--end", "pause");
  expect(set.stdout).toMatch(/days 2, 4 after[\s\S]*ends +after 6 days: nothing is charged/);
  const bad = await weir("dunning", "set", "--retry-days", "4,4");
  expect(bad).toMatchObject({ code: 3 });
  expect(bad.stderr).toContain('"field":"retryDays"');
  const [invoice] = await json<InvoiceHead[]>("invoices", "list", "--status", "finalized");
  const preview = await weir("dunning", "preview", invoice?.id ?? "", "--decline", "stolen_card");
  expect(preview.stdout).toMatch(/wait +no retry will do[\s\S]*end +nothing is charged/);
  expect((await weir("dunning", "pause", "acme", "--reason", "talks go on")).stdout).toContain(
    "acme is not charged since",
  );
  expect((await weir("dunning", "resume", "acme")).stdout).toBe("acme is charged by itself\n");
});

test("an account is archived, and no secret was ever printed", async () => {
  expect((await weir("payments", "account", "archive", "stripe")).stdout).toMatch(/archived +2/);
  const all = printed.join("\n");
  for (const secret of [secretKey, webhookSecret, "sk_test_typed_in_plain_sight"])
    expect(all.includes(secret), secret).toBe(false);
});
