import { vi } from "vitest";
import type { Postgres, Sql } from "../../src/engines/postgres/index.js";

/** The statements of each transaction that organizations made while `work` went on, with ? for their values. */
export async function watchedTransactions(
  postgres: Postgres,
  work: () => Promise<void>,
): Promise<string[][]> {
  const transactions: string[][] = [];
  const real = postgres.inOrganization.bind(postgres);
  const spied = vi.spyOn(postgres, "inOrganization").mockImplementation((organization, inside) =>
    real(organization, (sql) => {
      const statements: string[] = [];
      transactions.push(statements);
      return inside(
        new Proxy(sql, {
          apply(target, self, values: Parameters<Sql>) {
            const [strings] = values;
            const text = Array.isArray(strings) ? strings.join("?").trim() : "";
            // A part of a statement comes as a template too.
            if (/^(SELECT|INSERT|UPDATE|DELETE|WITH) /.test(text)) statements.push(text);
            return Reflect.apply(target, self, values) as unknown;
          },
        }),
      );
    }),
  );
  try {
    await work();
  } finally {
    spied.mockRestore();
  }
  return transactions;
}
