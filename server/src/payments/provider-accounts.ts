import { recordAudit, runOnce } from "../audit/index.js";
import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { Secrets } from "../engines/secrets/index.js";
import type { Caller } from "../identity/index.js";
import type { Clock } from "../kernel/clock.js";
import { parseCurrency, type Currency } from "../kernel/currency.js";
import { newId, type OrganizationId } from "../kernel/ids.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import type { PaymentProvider, ProviderAccount } from "./provider.js";
import {
  findAccount,
  insertAccount,
  listAccounts,
  updateAccount,
  type StoredProviderAccount,
} from "./store/provider-accounts.js";

export interface NewProviderAccount {
  /** The organization's own name for it; unique. */
  readonly key: string;
  /** stripe, bank_transfer, … */
  readonly provider: string;
  readonly name?: string;
  readonly settings?: Readonly<Record<string, string>>;
  readonly secrets?: Readonly<Record<string, string>>;
  /** That it charges in; all when left out. */
  readonly currencies?: readonly string[];
}

/** What is left out stays; a secret or setting of null goes. */
export interface ProviderAccountUpdate {
  /** Id or key. */
  readonly account: string;
  readonly name?: string;
  readonly settings?: Readonly<Record<string, string | null>>;
  readonly secrets?: Readonly<Record<string, string | null>>;
  readonly currencies?: readonly string[];
}

export interface ProviderAccountsDependencies {
  readonly postgres: Postgres;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly providers: ReadonlyMap<string, PaymentProvider>;
  /** Whether an organization is in test mode. */
  readonly isTest: (sql: Sql, organization: OrganizationId) => Promise<boolean>;
}

/** An account without its secrets: which there are is told, not what they are. */
export type DescribedAccount = Omit<StoredProviderAccount, "secrets"> & {
  readonly secretNames: readonly string[];
};

const accounts_max = 100;
const value_length_max = 4096;

/** Accounts at providers. Their secrets are sealed before they are stored, and are never told again. Every change is audited. */
export class ProviderAccounts {
  readonly #on: ProviderAccountsDependencies;

  constructor(dependencies: ProviderAccountsDependencies) {
    this.#on = dependencies;
  }

  /** @throws Refusal 400 listing every fault by field; 409 for a key that is taken, or a live key in test mode */
  async create(
    caller: Caller,
    input: NewProviderAccount,
    idempotencyKey?: string,
  ): Promise<DescribedAccount> {
    const { organization } = caller;
    const { postgres, clock } = this.#on;
    const { provider, currencies } = this.#check({ settings: {}, secrets: {}, currencies: [], ...input });
    return postgres.inOrganization(organization, async (sql) => {
      // The request without its secrets: they are not kept, not even hashed.
      const asked = { ...input, secrets: Object.keys(input.secrets ?? {}).sort() };
      const request = { organization, idempotencyKey, action: "provider_account.create", input: asked };
      const id = await runOnce(sql, request, async () => {
        await this.#refuseLiveInTest(sql, organization, provider, {
          settings: input.settings ?? {},
          secrets: input.secrets ?? {},
        });
        if ((await listAccounts(sql, { limit: accounts_max })).length >= accounts_max) throw tooMany();
        const at = clock.now();
        const account = {
          id: newId("pac", at),
          key: input.key,
          provider: provider.name,
          name: input.name ?? provider.title,
          settings: input.settings ?? {},
          currencies,
          createdAt: at,
          updatedAt: at,
        };
        const secrets = this.#seal(organization, account.id, input.secrets ?? {});
        if (!(await insertAccount(sql, organization, { ...account, secrets }))) throw keyTaken(input.key);
        await recordAudit(sql, {
          organization,
          actor: caller,
          action: "provider_account.create",
          target: account.id,
          before: undefined,
          after: describe({ ...account, secretNames: Object.keys(input.secrets ?? {}) }),
          at,
        });
        return account.id;
      });
      return this.#described(organization, await mustFind(sql, id));
    });
  }

  /** @throws Refusal 400, 404; 409 for one that is archived */
  async update(
    caller: Caller,
    input: ProviderAccountUpdate,
    idempotencyKey?: string,
  ): Promise<DescribedAccount> {
    const { organization } = caller;
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const asked = { ...input, secrets: Object.keys(input.secrets ?? {}).sort() };
      const request = { organization, idempotencyKey, action: "provider_account.update", input: asked };
      const id = await runOnce(sql, request, async () => {
        const before = await mustFind(sql, input.account, { lock: true });
        if (before.archivedAt !== undefined) throw archived(before);
        const known = this.#open(organization, before);
        const settings = merged(before.settings, input.settings);
        const secrets = merged(known.secrets, input.secrets);
        const { provider, currencies } = this.#check({
          key: before.key,
          provider: before.provider,
          settings,
          secrets,
          currencies: input.currencies ?? before.currencies,
        });
        await this.#refuseLiveInTest(sql, organization, provider, { settings, secrets });
        const at = this.#on.clock.now();
        const account = {
          ...before,
          name: input.name ?? before.name,
          settings,
          secrets: this.#seal(organization, before.id, secrets),
          currencies,
          updatedAt: at,
        };
        await updateAccount(sql, account);
        await recordAudit(sql, {
          organization,
          actor: caller,
          action: "provider_account.update",
          target: before.id,
          before: describe({ ...before, secretNames: Object.keys(known.secrets) }),
          after: {
            ...describe({ ...account, secretNames: Object.keys(secrets) }),
            changed: Object.keys(input.secrets ?? {}),
          },
          at,
        });
        return before.id;
      });
      return this.#described(organization, await mustFind(sql, id));
    });
  }

  /** No new charges go through it; what is under way ends as it does. Again changes nothing. @throws Refusal 404 */
  async archive(caller: Caller, idOrKey: string, idempotencyKey?: string): Promise<DescribedAccount> {
    const { organization } = caller;
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const request = {
        organization,
        idempotencyKey,
        action: "provider_account.archive",
        input: { account: idOrKey },
      };
      const id = await runOnce(sql, request, async () => {
        const account = await mustFind(sql, idOrKey, { lock: true });
        if (account.archivedAt !== undefined) return account.id;
        const at = this.#on.clock.now();
        await updateAccount(sql, { ...account, updatedAt: at, archivedAt: at });
        await recordAudit(sql, {
          organization,
          actor: caller,
          action: "provider_account.archive",
          target: account.id,
          before: { archived: false },
          after: { archived: true },
          at,
        });
        return account.id;
      });
      return this.#described(organization, await mustFind(sql, id));
    });
  }

  async list(
    organization: OrganizationId,
    page: { readonly after?: string; readonly limit: number },
  ): Promise<DescribedAccount[]> {
    const found = await this.#on.postgres.inOrganization(organization, (sql) => listAccounts(sql, page));
    return found.map((account) => this.#described(organization, account));
  }

  /** By id or key. */
  async find(organization: OrganizationId, idOrKey: string): Promise<DescribedAccount | undefined> {
    const found = await this.#on.postgres.inOrganization(organization, (sql) => findAccount(sql, idOrKey));
    return found && this.#described(organization, found);
  }

  /** With its secrets, to call its provider. @throws Refusal 404 */
  async open(
    sql: Sql,
    organization: OrganizationId,
    idOrKey: string,
  ): Promise<{ account: ProviderAccount; provider: PaymentProvider; isArchived: boolean }> {
    const stored = await mustFind(sql, idOrKey);
    const isArchived = stored.archivedAt !== undefined;
    return {
      account: this.#open(organization, stored),
      provider: this.providerOf(stored.provider),
      isArchived,
    };
  }

  /** @throws Refusal 400 */
  providerOf(name: string): PaymentProvider {
    const found = this.#on.providers.get(name);
    if (found !== undefined) return found;
    const known = [...this.#on.providers.keys()].join(", ");
    throw invalid([{ field: "provider", message: `"${name}" is none of ${known}` }]);
  }

  get providers(): readonly PaymentProvider[] {
    return [...this.#on.providers.values()];
  }

  #check(input: Required<Omit<NewProviderAccount, "name">> & { readonly name?: string }): {
    provider: PaymentProvider;
    currencies: Currency[];
  } {
    const provider = this.providerOf(input.provider);
    const faults: { field: string; message: string }[] = [];
    if (!/^[a-z0-9][a-z0-9_-]{0,63}$/.test(input.key))
      faults.push({ field: "key", message: "1 to 64 of a-z, 0-9, _ and -, not beginning with _ or -" });
    if (input.name !== undefined && (input.name.length === 0 || input.name.length > 200))
      faults.push({ field: "name", message: "1 to 200 characters" });
    for (const part of ["settings", "secrets"] as const) {
      const fields = new Set(provider.fields[part].map(({ name }) => name));
      for (const [name, value] of Object.entries(input[part])) {
        const field = `${part}.${name}`;
        if (!fields.has(name))
          faults.push({
            field,
            message: `${provider.title} has no such field; it has ${[...fields].join(", ") || "none"}`,
          });
        else if (value.length === 0 || value.length > value_length_max)
          faults.push({ field, message: `1 to ${value_length_max} characters` });
      }
      for (const { name, isRequired } of provider.fields[part])
        if (isRequired && input[part][name] === undefined)
          faults.push({ field: `${part}.${name}`, message: `${provider.title} needs it` });
    }
    const currencies = input.currencies.map((text, index) => {
      const currency = parseCurrency(text);
      if (currency === undefined)
        faults.push({ field: `currencies.${index}`, message: `"${text}" is no currency` });
      return currency;
    });
    if (faults.length === 0) faults.push(...provider.checkAccount(input));
    if (faults.length > 0) throw invalid(faults);
    return { provider, currencies: currencies.flatMap((one) => one ?? []) };
  }

  async #refuseLiveInTest(
    sql: Sql,
    organization: OrganizationId,
    provider: PaymentProvider,
    account: Pick<ProviderAccount, "settings" | "secrets">,
  ): Promise<void> {
    if (provider.isTest(account) || !(await this.#on.isTest(sql, organization))) return;
    const detail =
      "The organization is in test mode, where time is made up: live keys would move real money by it.";
    throw new Refusal(makeProblem("live-key-in-test-mode", 409, "A live key in test mode", detail));
  }

  #seal(
    organization: OrganizationId,
    id: string,
    secrets: Readonly<Record<string, string>>,
  ): Uint8Array | undefined {
    if (Object.keys(secrets).length === 0) return undefined;
    return this.#on.secrets.seal(JSON.stringify(secrets), contextOf(organization, id));
  }

  #open(organization: OrganizationId, stored: StoredProviderAccount): ProviderAccount {
    const { id, key, name, provider, settings, currencies } = stored;
    const secrets =
      stored.secrets === undefined
        ? {}
        : (JSON.parse(this.#on.secrets.openText(stored.secrets, contextOf(organization, id))) as Record<
            string,
            string
          >);
    return { organization, id, key, name, provider, settings, secrets, currencies };
  }

  #described(organization: OrganizationId, stored: StoredProviderAccount): DescribedAccount {
    const { secrets: _sealed, ...rest } = stored;
    return { ...rest, secretNames: Object.keys(this.#open(organization, stored).secrets) };
  }
}

function merged(
  known: Readonly<Record<string, string>>,
  change: Readonly<Record<string, string | null>> = {},
): Record<string, string> {
  const all = Object.entries({ ...known, ...change });
  return Object.fromEntries(all.flatMap(([name, value]) => (value === null ? [] : [[name, value]])));
}

async function mustFind(
  sql: Sql,
  idOrKey: string,
  options: { lock?: boolean } = {},
): Promise<StoredProviderAccount> {
  const found = await findAccount(sql, idOrKey, options);
  if (found !== undefined) return found;
  const detail = `There is no provider account with the id or key "${idOrKey.slice(0, 64)}".`;
  throw new Refusal(makeProblem("provider-account-not-found", 404, "No such provider account", detail));
}

function describe({
  key,
  provider,
  name,
  settings,
  currencies,
  secretNames,
}: Pick<DescribedAccount, "key" | "provider" | "name" | "settings" | "currencies" | "secretNames">) {
  return { key, provider, name, settings, currencies, secrets: secretNames };
}

function contextOf(organization: OrganizationId, id: string): string {
  return `provider_accounts:${organization}:${id}`;
}

function invalid(errors: readonly { field: string; message: string }[]): Refusal {
  const detail = errors.map(({ field, message }) => `${field}: ${message}`).join("; ");
  return new Refusal(
    makeProblem("invalid-provider-account", 400, "The provider account is not valid", detail, { errors }),
  );
}

function keyTaken(key: string): Refusal {
  const detail = `There is a provider account "${key}". Choose another key, or update that one.`;
  return new Refusal(makeProblem("provider-account-exists", 409, "The key is taken", detail));
}

function archived({ key }: StoredProviderAccount): Refusal {
  const detail = `Provider account "${key}" is archived. Create another.`;
  return new Refusal(
    makeProblem("provider-account-archived", 409, "The provider account is archived", detail),
  );
}

function tooMany(): Refusal {
  const detail = `There are ${accounts_max} provider accounts, archived ones included, which is the most there can be.`;
  return new Refusal(makeProblem("too-many-provider-accounts", 409, "Too many provider accounts", detail));
}
