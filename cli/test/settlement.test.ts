import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { camtFile, type CamtEntry } from "../../server/test/support/settlement/camt-file.js";
import {
  balance_columns,
  stripeReport,
  type StripeRow,
} from "../../server/test/support/settlement/stripe-report.js";
import { startWeirProcess, type WeirProcess } from "../../server/test/support/weir-process.js";
import { runWith, weirCommand } from "./support/weir-command.js";

let folder: string;
let server: WeirProcess;
let weir: ReturnType<typeof weirCommand>["weir"];
let json: ReturnType<typeof weirCommand>["json"];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "weir-cli-settlement-"));
  server = await startWeirProcess(path.join(folder, "data"));
  ({ weir, json } = weirCommand(server.url, server.key));
  const account = ["payments", "account", "create"];
  const stripe = ["stripe", "--provider", "stripe", "--secret", "secretKey=env:STRIPE_KEY"];
  const environment = { WEIR_URL: server.url, WEIR_KEY: server.key, STRIPE_KEY: "sk_test_0123456789" };
  expect(await runWith(environment, [...account, ...stripe])).toMatchObject({ code: 0 });
  const bank = ["bank", "--provider", "bank_transfer", "--setting", "iban=NL91ABNA0417164300"];
  expect(await weir(...account, ...bank, "--setting", "holder=Weir Example B.V.")).toMatchObject({ code: 0 });
});
afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

const file = async (name: string, chunks: Iterable<Uint8Array>) => {
  const at = path.join(folder, name);
  await writeFile(at, Buffer.concat([...chunks]));
  return at;
};
const report = (name: string, ...rows: StripeRow[]) => file(name, stripeReport(balance_columns, rows));
const adjustment = (number: number, gross: bigint): StripeRow => ({
  id: `txn_${number}`,
  category: "other_adjustment",
  currency: "EUR",
  gross,
  fee: 0n,
});
const statement = (name: string, id: string, entries: CamtEntry[], closing?: bigint) =>
  file(
    name,
    camtFile({
      id: `MSG-${id}`,
      statements: [
        {
          id,
          account: "NL91ABNA0417164300",
          currency: "EUR",
          opening: 0n,
          entries: () => entries,
          ...(closing === undefined ? {} : { closing }),
        },
      ],
    }),
  );

interface Listed {
  readonly id: string;
  readonly kind: string;
  readonly version: number;
}

test("a report is landed, followed into the books, and looked at; the same again changes nothing", async () => {
  expect((await weir("settle", "list")).stdout).toMatch(/No files\. Land one/);
  const balance = await report("balance.csv", adjustment(1, -1_234n), adjustment(2, -5_00n));
  const landed = await weir("settle", "import", balance, "--account", "stripe");
  expect(landed).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/balance\.csv \(stf_\w+\), posted\n/),
  });
  expect(landed.stdout).toMatch(/records +2\n[\s\S]*unmatched +2: weir reconcile exceptions --file stf_/);
  const again = await weir("settle", "import", balance, "--account", "stripe");
  expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining("posted; already landed") });
  const [listed] = await json<{ id: string }[]>("settle", "list", "--state", "posted");
  const { id } = listed!;
  expect((await weir("settle", "list", "--account", "stripe")).stdout).toMatch(
    /balance\.csv +stripe-balance-change +posted +2 +0 +2/,
  );
  expect((await weir("settle", "show", id)).stdout).toMatch(/EUR +2 +-17\.34 +0\.00 +-17\.34/);
  expect((await weir("settle", "records", id)).stdout).toMatch(/adjustment +-12\.34[\s\S]*suspense -5\.00/);
  expect(await weir("settle", "show", "stf_nothing")).toMatchObject({ code: 2 });
  expect(await weir("settle", "import", path.join(folder, "none.csv"), "--account", "stripe")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("there is no file"),
  });
});

test("exceptions are decided on, and decided otherwise", async () => {
  const found = await json<Listed[]>("reconcile", "exceptions", "--account", "stripe");
  expect(found.map(({ kind }) => kind)).toEqual(["unmatched", "unmatched"]);
  const [{ id: first }, { id: second }] = found as [Listed, Listed];
  const booked = await weir("reconcile", "resolve", first, "--book", "provider_fees", "--note", "asked them");
  expect(booked).toMatchObject({ code: 0, stdout: expect.stringMatching(/state +resolved, version 2/) });
  expect(booked.stdout).toMatch(/closed +book provider_fees by key_[\s\S]*note +asked them/);
  const late = await weir("reconcile", "ignore", first, "--reason", "too small", "--at", "1");
  expect(late).toMatchObject({ code: 3, stderr: expect.stringMatching(/version|changed/) });
  expect((await weir("reconcile", "reopen", first, "--reason", "no")).stdout).toMatch(
    /state +open, version 3/,
  );
  expect((await weir("reconcile", "ignore", second, "--reason", "known")).stdout).toMatch(/state +ignored/);
  expect((await weir("reconcile", "exception", second)).stdout).toMatch(/why +\S/);
  expect((await weir("reconcile", "exceptions")).stdout.match(/rex_\w+/g)).toEqual([first]);
  expect(await weir("reconcile", "resolve", first)).toMatchObject({ code: 3 });
});

test("a statement that does not foot is held, said so by the exit code, and accepted or given up by a person", async () => {
  const line = (number: number): CamtEntry => ({ amount: 100n, credit: true, reference: `B/${number}` });
  const wrong = await statement("wrong.xml", "STMT-1", [line(1)], 99n);
  const held = await weir("settle", "import", wrong, "--account", "bank");
  expect(held).toMatchObject({ code: 1, stderr: expect.stringContaining("wrong.xml (held)") });
  const [{ id }] = (await json<{ id: string }[]>("settle", "list", "--state", "held")) as [{ id: string }];
  expect((await weir("settle", "show", id)).stdout).toMatch(/CHECK +EXPECTED +FOUND/);
  expect((await weir("settle", "accept", id, "--reason", "the bank says so")).stdout).toMatch(/, posted\n/);
  expect(await weir("settle", "discard", id, "--reason", "no")).toMatchObject({ code: 3 });
  const other = await statement("other.xml", "STMT-2", [line(2)], 7n);
  expect(await weir("settle", "import", other, "--account", "bank")).toMatchObject({ code: 1 });
  const [next] = await json<{ id: string }[]>("settle", "list", "--state", "held");
  expect((await weir("settle", "discard", next!.id, "--reason", "broken")).stdout).toMatch(/, refused\n/);
});

test("the three are printed side by side, and reports are listed", async () => {
  const period = ["--from", "2026-02-01T00:00:00Z", "--to", "2026-04-01T00:00:00Z"];
  const compared = await weir("reconcile", ...period, "--account", "stripe");
  expect(compared).toMatchObject({ code: 0, stdout: expect.stringMatching(/^2026-02-01T00:00:00Z – /) });
  expect(compared.stdout).toMatch(/other +EUR +0\.00 +0 +-17\.34 +2 +-17\.34/);
  const [account] = (
    await json<{ accounts: { account: { key: string }; lines: { line: string }[] }[] }>(
      "reconcile",
      ...period,
    )
  ).accounts.filter(({ account: { key } }) => key === "stripe");
  expect(account!.lines.map(({ line }) => line)).toEqual(["other"]);
  expect((await weir("reconcile", "reports")).stdout).toMatch(/No reports yet/);
  expect(await weir("reconcile", "report", "2026-01-01")).toMatchObject({ code: 2 });
});
