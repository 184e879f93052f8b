import postgresJs from "postgres";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { Postgres } from "../../src/engines/postgres/index.js";
import { openIdentity, type Identity } from "../../src/identity/index.js";
import { FixedClock, sameClock, systemClock } from "../../src/kernel/clock.js";
import { parseCurrency, type Currency } from "../../src/kernel/currency.js";
import type { OrganizationId, ProviderAccountId } from "../../src/kernel/ids.js";
import { parseInstant, type Instant } from "../../src/kernel/instant.js";
import { silentLog } from "../../src/kernel/log.js";
import {
  Ledger,
  LedgerMonths,
  LedgerSealer,
  LedgerVerification,
  type AccountSums,
  type LedgerFault,
  type Posting,
} from "../../src/ledger/index.js";
import { customer, invoice, usd } from "../support/sample-posting.js";
import { openTestPostgres, type SuperuserAccess } from "./embedded-postgres.js";

const start = parseInstant("2026-03-15T12:00:00Z") as Instant;
const clock = new FixedClock(start);
const eur = parseCurrency("EUR") as Currency;

let postgres: Postgres;
let superuser: postgresJs.Sql;
let remove: () => Promise<void>;
let identity: Identity;
let ledger: Ledger;
let sealer: LedgerSealer;
let verification: LedgerVerification;
let organization: OrganizationId;
let organizations = 0;

beforeAll(async () => {
  let access: SuperuserAccess;
  ({ postgres, remove, superuser: access } = await openTestPostgres());
  superuser = postgresJs({ ...access, max: 1, connection: { search_path: "weir" } });
  identity = openIdentity({ postgres, clock });
  ledger = new Ledger({ postgres, clocks: sameClock(clock) });
  sealer = new LedgerSealer({ postgres, clock: systemClock, log: silentLog });
  verification = new LedgerVerification({
    postgres,
    months: new LedgerMonths({ postgres, clocks: sameClock(clock), clock: systemClock, sealer }),
  });
});
afterAll(async () => {
  await superuser?.end();
  await remove();
});
beforeEach(async () => {
  organizations += 1;
  clock.set(start);
  const input = { slug: `blocks-${organizations}`, name: "Blocks", mode: "test" } as const;
  organization = (await identity.createOrganization(input)).id;
});

const account = "pac_01arz3ndektsv4rrffq69g5fav" as ProviderAccountId;
const payment = (number: number, minor: bigint): Posting => ({
  idempotencyKey: `payment:${number}`,
  reason: "payment.capture",
  reference: `pay_${number}`,
  transfers: [
    {
      debit: { kind: "provider_clearing", account },
      credit: { kind: "receivable", customer: customer(number % 7) },
      amount: { currency: usd, minor },
    },
  ],
});
const post = (...postings: Posting[]) =>
  postgres.inOrganization(organization, (sql) => ledger.post(sql, organization, postings));
const resolve = (key: string, as: "post" | "void", amounts?: readonly bigint[]) =>
  postgres.inOrganization(organization, (sql) =>
    ledger.resolve(sql, organization, key, as, { reason: "payment.settle", ...(amounts && { amounts }) }),
  );
const hours = (count: number) => (start + count * 3_600_000_000) as Instant;

/** The first fault, of a verification in as many parts as it takes. */
async function verify(): Promise<LedgerFault | undefined> {
  let after: string | undefined;
  do {
    const part = await verification.verify(organization, after);
    if (part.fault !== undefined) return part.fault;
    after = part.next;
  } while (after !== undefined);
  return undefined;
}

describe("balances at an instant", () => {
  /** Postings of some hours, some of them of an earlier time, pending ones among them; sealed now and then. */
  async function fill(): Promise<void> {
    for (let hour = 0; hour < 6; hour += 1) {
      clock.set(hours(hour));
      await post(invoice(hour, BigInt(100 * (hour + 1))), invoice(100 + hour, 7n, eur));
      await post({ ...payment(hour, 10n), at: hours(Math.max(0, hour - 2)) });
      await post({ ...invoice(200 + hour, 1000n), pending: true });
      if (hour > 1) await resolve(`invoice:${200 + hour - 2}`, hour % 2 === 0 ? "post" : "void");
      if (hour === 2 || hour === 4) await sealer.seal(organization);
    }
  }

  /** Added up by hand from all postings up to an instant. */
  async function plainSums(at: Instant, codeOfAccount: (code: string) => string) {
    const postings = await ledger.postings(organization, { limit: 1000 });
    const sums = new Map<string, [bigint, bigint, bigint, bigint]>();
    const codeOf = ({
      kind,
      customer: own,
      account: other,
    }: {
      kind: string;
      customer?: string;
      account?: string;
    }) => [kind, own ?? other].filter((part) => part !== undefined).join(":");
    for (const one of postings.filter(({ postedAt }) => postedAt <= at)) {
      const resolver = postings.find(({ id }) => id === one.resolvedBy);
      if (resolver !== undefined && resolver.postedAt <= at) continue;
      const shift = one.pending ? 2 : 0;
      for (const { debit, credit, amount } of one.transfers) {
        for (const [side, each] of [debit, credit].entries()) {
          const key = `${codeOfAccount(codeOf(each))} ${amount.currency}`;
          const known = sums.get(key) ?? [0n, 0n, 0n, 0n];
          known[side + shift] = (known[side + shift] ?? 0n) + amount.minor;
          sums.set(key, known);
        }
      }
    }
    return Object.fromEntries(sums);
  }
  const found = (accounts: readonly AccountSums[]) =>
    Object.fromEntries(
      accounts
        .map(
          (one) =>
            [
              `${one.code} ${one.currency}`,
              [one.debit, one.credit, one.pendingDebit, one.pendingCredit] as const,
            ] as const,
        )
        .filter(([, sums]) => sums.some((sum) => sum !== 0n)),
    );

  test("are what the postings up to then add up to: in blocks, across blocks, and in none", async () => {
    await fill();
    for (const at of [hours(-1), hours(0), hours(1.5), hours(2), hours(3), hours(4.5), hours(5), hours(9)]) {
      const trial = await ledger.trialBalance(organization, at);
      expect(trial.balanced).toBe(true);
      expect(found(trial.accounts)).toEqual(
        await plainSums(at, (code) => (code.includes(":cus_") ? (code.split(":")[0] ?? "") : code)),
      );
      const accounts = await ledger.accounts(organization, { at, limit: 100 });
      expect(found(accounts)).toEqual(await plainSums(at, (code) => code));
    }
    const now = await ledger.trialBalance(organization);
    expect(now).toMatchObject({ balanced: true, differences: [] });
    expect(found(now.accounts)).toEqual(found((await ledger.trialBalance(organization, hours(5))).accounts));
  });

  test("are paged, and only of accounts with the prefix", async () => {
    await fill();
    const at = hours(3);
    const all = await ledger.accounts(organization, { at, limit: 100 });
    const paged: AccountSums[] = [];
    for (let page = await ledger.accounts(organization, { at, limit: 3 }); page.length > 0; ) {
      paged.push(...page);
      const last = page.at(-1) as AccountSums;
      page = await ledger.accounts(organization, { at, limit: 3, after: last });
    }
    expect(paged).toEqual(all);
    const receivables = await ledger.accounts(organization, { at, prefix: "receivable:", limit: 100 });
    expect(receivables).toEqual(all.filter(({ code }) => code.startsWith("receivable:")));
  });

  test("the sums of blocks are those of their postings, whoever posts while they are sealed", async () => {
    const numbers = Array.from({ length: 400 }, (_, number) => number);
    const sealing = (async () => {
      for (let round = 0; round < 20; round += 1) await sealer.seal(organization);
    })();
    await Promise.all(
      Array.from({ length: 8 }, async (_, worker) => {
        for (const number of numbers.filter((one) => one % 8 === worker)) await post(invoice(number, 5n));
      }),
    );
    await sealing;
    expect(await ledger.trialBalance(organization)).toMatchObject({ balanced: true, differences: [] });
    await sealer.seal(organization);
    const { accounts } = await ledger.trialBalance(organization);
    expect(accounts.find(({ code }) => code === "revenue")?.credit).toBe(2000n);
    expect(await verify()).toBeUndefined();
  });
});

describe("the sealer", () => {
  test("seals each posting once, in blocks that follow one another", async () => {
    await post(...Array.from({ length: 5000 }, (_, number) => invoice(number, 5n)));
    expect(await sealer.seal(organization)).toBe(2);
    expect(await sealer.seal(organization)).toBe(0);
    await post(invoice(9000, 5n));
    expect(await sealer.seal(organization)).toBe(1);
    const blocks = await sealer.blocks(organization, { limit: 10 });
    expect(blocks.map(({ number, postings, transfers }) => [number, postings, transfers])).toEqual([
      [3, 1, 2],
      [2, 904, 1808],
      [1, 4096, 8192],
    ]);
    expect(blocks.map(({ previous }) => previous).slice(0, 2)).toEqual(
      blocks.map(({ hash }) => hash).slice(1),
    );
    expect(await verify()).toBeUndefined();
  });

  test("of itself seals what fills a block, and leaves what does not for some minutes", async () => {
    await post(...Array.from({ length: 4100 }, (_, number) => invoice(number, 5n)));
    expect(await sealer.sealDue()).toBe(1);
    expect(await sealer.sealDue()).toBe(0);
    const sealed = async () =>
      (await sealer.blocks(organization, { limit: 10 })).map(({ postings }) => postings);
    expect(await sealed()).toEqual([4096]);
    expect(await ledger.trialBalance(organization)).toMatchObject({ balanced: true, differences: [] });
    const began = performance.now();
    const clockOfProcess = vi.spyOn(performance, "now").mockReturnValue(began + 290_000);
    await sealer.sealDue();
    expect(await sealed()).toEqual([4096]);
    clockOfProcess.mockReturnValue(began + 310_000);
    await sealer.sealDue();
    clockOfProcess.mockRestore();
    expect(await sealed()).toEqual([4, 4096]);
  });

  test("two at once make one chain", async () => {
    const other = new LedgerSealer({ postgres, clock: systemClock, log: silentLog });
    await post(...Array.from({ length: 50 }, (_, number) => invoice(number, 5n)));
    const made = await Promise.all([
      sealer.seal(organization),
      other.seal(organization),
      sealer.seal(organization),
    ]);
    expect(made.reduce((sum, one) => sum + one)).toBe(1);
    expect(await verify()).toBeUndefined();
  });

  test("what a transaction under way has written is sealed after it, in a block of its own", async () => {
    await post(invoice(1, 5n), invoice(2, 5n));
    expect(await sealer.seal(organization)).toBe(1);
    // In rows of the balances that the other does not wait for.
    const first = new Ledger({ postgres, clocks: sameClock(clock), random: () => 0 });
    const second = new Ledger({ postgres, clocks: sameClock(clock), random: () => 0.5 });
    let commit = () => {};
    let open: Promise<void> | undefined;
    await new Promise<void>((written) => {
      open = postgres.inOrganization(organization, async (sql) => {
        await first.post(sql, organization, [invoice(8, 5n)]);
        await new Promise<void>((resume) => {
          commit = resume;
          written();
        });
      });
    });
    await postgres.inOrganization(organization, (sql) => second.post(sql, organization, [invoice(9, 5n)]));
    expect(await sealer.seal(organization)).toBe(1);
    commit();
    await open;
    expect(await sealer.seal(organization)).toBe(1);
    const blocks = await sealer.blocks(organization, { limit: 10 });
    expect(blocks.map(({ postings }) => postings)).toEqual([1, 1, 2]);
    expect(await verify()).toBeUndefined();
  });

  test("goes on where another server left off, whose transactions had higher numbers", async () => {
    await post(invoice(1, 5n));
    await sealer.seal(organization);
    await post(invoice(2, 5n));
    // As after a restore: what is sealed, and what waits, was written by transactions that this server has not come to.
    await asTamperer(async (sql) => {
      await sql`UPDATE ledger_postings SET xact = '99999999999' WHERE organization = ${organization}`;
      await sql`UPDATE ledger_sealing SET sealed_through = '99999999990' WHERE organization = ${organization}`;
    });
    await post(invoice(3, 5n));
    expect(await ledger.trialBalance(organization)).toMatchObject({ balanced: true, differences: [] });
    expect(await sealer.seal(organization)).toBe(1);
    await post(invoice(4, 5n));
    expect(await ledger.trialBalance(organization)).toMatchObject({ balanced: true, differences: [] });
    expect(await sealer.seal(organization)).toBe(1);
    expect((await sealer.blocks(organization, { limit: 10 })).map(({ postings }) => postings)).toEqual([
      1, 2, 1,
    ]);
    expect(await verify()).toBeUndefined();
  });

  test("what is sealed cannot be changed or deleted, by nobody", async () => {
    await post(invoice(1, 5n));
    await sealer.seal(organization);
    for (const table of ["ledger_blocks", "ledger_sealed_postings", "ledger_block_sums"]) {
      for (const statement of [
        `UPDATE ${table} SET organization = organization`,
        `DELETE FROM ${table}`,
        `TRUNCATE ${table}`,
      ]) {
        const attempt = postgres.inOrganization(organization, (sql) => sql.unsafe(statement));
        await expect(attempt, statement).rejects.toThrow(/permission denied/);
        const bySuperuser = superuser.unsafe(`SET session_replication_role = replica; ${statement}`).simple();
        await expect(bySuperuser, statement).rejects.toThrow(/append-only/);
      }
    }
  });
});

/** Changes what nobody may: with the triggers that refuse it taken away meanwhile. */
async function asTamperer(work: (sql: postgresJs.TransactionSql) => Promise<unknown>): Promise<void> {
  const tables = ["postings", "transfers", "blocks", "sealed_postings", "block_sums"].map(
    (name) => `ledger_${name}`,
  );
  await superuser.begin(async (sql) => {
    for (const table of tables) await sql.unsafe(`ALTER TABLE ${table} DISABLE TRIGGER ALL`);
    await work(sql);
    for (const table of tables) {
      await sql.unsafe(`ALTER TABLE ${table} ENABLE TRIGGER ALL`);
      await sql.unsafe(
        `ALTER TABLE ${table} ENABLE ALWAYS TRIGGER append_only_rows, ENABLE ALWAYS TRIGGER append_only_table`,
      );
    }
  });
}

describe("verification names what was tampered with", () => {
  let posting: string;

  async function seal(): Promise<void> {
    await post(...Array.from({ length: 20 }, (_, number) => invoice(number, 5n)));
    await sealer.seal(organization);
    await post(...Array.from({ length: 20 }, (_, number) => invoice(100 + number, 5n)));
    await post({ ...invoice(300, 5n), pending: true });
    await sealer.seal(organization);
    const [found] = await ledger.postings(organization, { reference: "inv_105", limit: 1 });
    posting = found?.id ?? "";
    expect(await verify()).toBeUndefined();
  }

  const cases: Record<
    string,
    { tamper: (sql: postgresJs.TransactionSql) => Promise<unknown>; fault: () => object }
  > = {
    "a transfer's amount": {
      tamper: (sql) =>
        sql`UPDATE ledger_transfers SET amount_minor = 6 WHERE posting = ${posting} AND position = 0`,
      fault: () => ({
        kind: "transfer",
        block: 2,
        posting,
        position: 0,
        message: expect.stringContaining("position 0 another transfer"),
      }),
    },
    "a transfer's service period": {
      tamper: (sql) =>
        sql`UPDATE ledger_transfers SET service_end = service_end + interval '1 microsecond' WHERE posting = ${posting} AND position = 0`,
      fault: () => ({ kind: "transfer", block: 2, posting, position: 0 }),
    },
    "a posting's time": {
      tamper: (sql) =>
        sql`UPDATE ledger_postings SET posted_at = posted_at - interval '1 microsecond' WHERE id = ${posting}`,
      fault: () => ({ kind: "posting", block: 2, posting, message: expect.stringContaining("time") }),
    },
    "a transfer that was deleted": {
      tamper: (sql) => sql`DELETE FROM ledger_transfers WHERE posting = ${posting} AND position = 1`,
      fault: () => ({ kind: "transfer", posting, position: 1, message: expect.stringContaining("lacks") }),
    },
    "a transfer that was put in": {
      tamper: (sql) =>
        sql`INSERT INTO ledger_transfers (organization, posting, position, debit, credit, currency, amount_minor)
            VALUES (${organization}, ${posting}, 2, 'revenue', 'tax_payable', 'USD', 1)`,
      fault: () => ({
        kind: "transfer",
        posting,
        position: 2,
        message: expect.stringContaining("sealed without"),
      }),
    },
    "a posting that was deleted": {
      tamper: async (sql) => {
        await sql`DELETE FROM ledger_transfers WHERE posting = ${posting}`;
        await sql`DELETE FROM ledger_postings WHERE id = ${posting}`;
      },
      fault: () => ({ kind: "posting", block: 2, posting, message: expect.stringContaining("missing") }),
    },
    "a posting that was put in among older ones": {
      tamper: (sql) =>
        sql`INSERT INTO ledger_postings (organization, id, idempotency_key, fingerprint, reason, reference, posted_at, xact)
            SELECT organization, 'pst_forged', 'forged', fingerprint, reason, reference, posted_at, xact
            FROM ledger_postings WHERE id = ${posting}`,
      fault: () => ({ kind: "posting", posting: "pst_forged", message: expect.stringContaining("put in") }),
    },
    "a posting that was put in as if it were new": {
      tamper: (sql) =>
        sql`INSERT INTO ledger_postings (organization, id, idempotency_key, fingerprint, reason, reference, posted_at)
            SELECT organization, 'pst_forged', 'forged', fingerprint, reason, reference, posted_at
            FROM ledger_postings WHERE id = ${posting}`,
      fault: () => ({
        kind: "posting",
        posting: "pst_forged",
        message: expect.stringContaining("fingerprint"),
      }),
    },
    "a transfer of no posting": {
      tamper: (sql) =>
        sql`INSERT INTO ledger_transfers (organization, posting, position, debit, credit, currency, amount_minor)
            VALUES (${organization}, 'pst_forged', 0, 'revenue', 'tax_payable', 'USD', 1)`,
      fault: () => ({ kind: "transfer", posting: "pst_forged", position: 0 }),
    },
    "a digest that was made to fit": {
      tamper: async (sql) => {
        await sql`UPDATE ledger_transfers SET amount_minor = 6 WHERE posting = ${posting} AND position = 0`;
        await sql`
          UPDATE ledger_sealed_postings SET digest = substr(digest, 1, 32) || (
            SELECT weir_transfer_digest(position, debit, credit, currency, amount_minor, service_start, service_end)
            FROM ledger_transfers WHERE posting = ${posting} AND position = 0) || substr(digest, 65)
          WHERE posting = ${posting}`;
      },
      fault: () => ({ kind: "block", block: 2, message: expect.stringContaining("another hash") }),
    },
    "a block that was removed": {
      tamper: async (sql) => {
        await sql`DELETE FROM ledger_blocks WHERE organization = ${organization} AND number = 2`;
        await sql`DELETE FROM ledger_sealed_postings WHERE organization = ${organization} AND block = 2`;
        await sql`DELETE FROM ledger_block_sums WHERE organization = ${organization} AND block = 2`;
      },
      fault: () => ({ kind: "posting", message: expect.stringContaining("its block was removed") }),
    },
    "a block that is missing in the middle": {
      tamper: (sql) => sql`DELETE FROM ledger_blocks WHERE organization = ${organization} AND number = 1`,
      fault: () => ({ kind: "block", block: 1, message: "block 1 of 2 is missing" }),
    },
    "a block's sums": {
      tamper: (sql) =>
        sql`UPDATE ledger_block_sums SET credit_minor = credit_minor + 1
            WHERE organization = ${organization} AND block = 2 AND code = 'revenue'`,
      fault: () => ({ kind: "sums", block: 2, account: "revenue" }),
    },
    "a block's times": {
      tamper: (sql) =>
        sql`UPDATE ledger_blocks SET last_posted_at = last_posted_at + interval '1 hour'
            WHERE organization = ${organization} AND number = 2`,
      fault: () => ({ kind: "block", block: 2, message: expect.stringContaining("other times") }),
    },
    "a kept balance": {
      tamper: (sql) =>
        sql`UPDATE ledger_balances SET debit_minor = debit_minor + 1 WHERE organization = ${organization} AND account = ${`receivable:${customer(3)}`}`,
      fault: () => ({
        kind: "sums",
        account: "receivable",
        message: expect.stringContaining("kept debit sum"),
      }),
    },
    "two kept balances that even out": {
      tamper: async (sql) => {
        await sql`UPDATE ledger_balances SET debit_minor = debit_minor + 1 WHERE organization = ${organization} AND account = ${`receivable:${customer(3)}`}`;
        await sql`UPDATE ledger_balances SET debit_minor = debit_minor - 1 WHERE organization = ${organization} AND account = ${`receivable:${customer(2)}`}`;
      },
      fault: () => ({ kind: "sums", account: `receivable:${customer(2)}` }),
    },
  };

  test.each(Object.keys(cases))("%s", async (name) => {
    await seal();
    const { tamper, fault } = cases[name] as (typeof cases)[string];
    await asTamperer(tamper);
    expect(await verify()).toMatchObject(fault());
  });

  test("an amount in no block yet", async () => {
    await seal();
    await post(invoice(500, 5n));
    const [waiting] = await ledger.postings(organization, { reference: "inv_500", limit: 1 });
    await asTamperer(
      (sql) =>
        sql`UPDATE ledger_transfers SET amount_minor = 6 WHERE posting = ${waiting?.id ?? ""} AND position = 0`,
    );
    expect(await verify()).toMatchObject({ kind: "posting", posting: waiting?.id });
  });
});
