import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { nodesOf } from "../all-nodes.js";
import { contextOf, UsageError, type CliContext } from "../context.js";
import { mutate } from "../mutate.js";
import { collect, collectList, readPairs } from "../options.js";
import { printFields, printJson, printTable } from "../print.js";

interface Account {
  readonly id: string;
  readonly key: string;
  readonly provider: string;
  readonly name: string;
  readonly settings: readonly { readonly name: string; readonly value: string }[];
  readonly secretNames: readonly string[];
  readonly currencies: readonly string[];
  /** Null for a provider that sends none. */
  readonly webhookUrl: string | null;
  readonly archivedAt: string | null;
}

interface Provider {
  readonly name: string;
  readonly title: string;
  readonly settings: readonly Field[];
  readonly secrets: readonly Field[];
}

interface Field {
  readonly name: string;
  readonly description: string;
  readonly required: boolean;
}

interface AccountOptions {
  readonly provider: string;
  readonly name?: string;
  readonly setting: readonly string[];
  readonly secret: readonly string[];
  readonly currency: readonly string[];
  readonly removeSetting: readonly string[];
  readonly removeSecret: readonly string[];
  readonly allCurrencies?: true;
}

const selection =
  "{ id key provider name settings { name value } secretNames currencies webhookPath webhookUrl createdAt updatedAt archivedAt }";
const secretSource = "name=@FILE, name=env:VARIABLE, or name=- for standard input; again for more";

export function addProviderAccountCommands(payments: Command): void {
  payments
    .command("providers")
    .description("through whom money can come in, and what an account there is made of")
    .action(async (_options: object, command: Command) => {
      const context = contextOf(command);
      const { providers } = await context.weir.graphql.run<{ providers: Provider[] }>(
        "{ providers { name title settings { name description required } secrets { name description required } } }",
      );
      if (context.json) return printJson(context, providers);
      printTable(
        context,
        ["PROVIDER", "FIELD", "", "NEEDED", "WHAT"],
        providers.flatMap(({ name, settings, secrets }) => [
          ...settings.map((field) => [
            name,
            field.name,
            "setting",
            field.required ? "yes" : "",
            field.description,
          ]),
          ...secrets.map((field) => [
            name,
            field.name,
            "secret",
            field.required ? "yes" : "",
            field.description,
          ]),
        ]),
        "No providers.",
      );
    });

  payments
    .command("accounts")
    .description("accounts at providers, with the addresses that their webhooks belong to")
    .action(async (_options: object, command: Command) => {
      const context = contextOf(command);
      const accounts = await providerAccounts(context);
      if (context.json) return printJson(context, accounts);
      printTable(
        context,
        ["KEY", "PROVIDER", "NAME", "CURRENCIES", "SECRETS", "ARCHIVED", "WEBHOOKS TO"],
        accounts.map((account) => [
          account.key,
          account.provider,
          account.name,
          account.currencies.join(", ") || "all",
          account.secretNames.join(", "),
          account.archivedAt ?? "",
          account.webhookUrl ?? "",
        ]),
        "No accounts. Create one: weir payments account create stripe --provider stripe --secret secretKey=env:STRIPE_KEY",
      );
    });

  const account = payments.command("account").description("an account at a provider");

  account
    .command("show")
    .argument("<account>", "id or key")
    .description("an account, without its secrets")
    .action(async (idOrKey: string, _options: object, command: Command) => {
      const context = contextOf(command);
      const { providerAccount } = await context.weir.graphql.run<{ providerAccount: Account | null }>(
        `query ($account: String!) { providerAccount(idOrKey: $account) ${selection} }`,
        { account: idOrKey },
      );
      if (providerAccount === null)
        throw new UsageError(`there is no provider account "${idOrKey}"; weir payments accounts`);
      printAccount(context, providerAccount);
    });

  account
    .command("create")
    .argument("<key>", "your own name for it")
    .requiredOption("--provider <name>", "weir payments providers lists them")
    .option("--name <name>", "the provider's when left out")
    .option("--setting <name=value>", "again for more", collect, [])
    .option("--secret <name=source>", secretSource, collect, [])
    .option("--currency <codes>", "that it charges in; all when left out", collectList, [])
    .description("make an account known; its secrets are sealed, and never shown again")
    .action(async (key: string, options: AccountOptions, command: Command) => {
      const context = contextOf(command);
      const made = await mutate<Account>(
        context,
        "createProviderAccount",
        {
          key: ["String!", key],
          provider: ["String!", options.provider],
          name: ["String", options.name],
          settings: ["[ProviderValueInput!]", valuesOf(readPairs("--setting", options.setting))],
          secrets: ["[ProviderValueInput!]", valuesOf(readSecrets(options.secret))],
          currencies: ["[String!]", options.currency.length === 0 ? undefined : options.currency],
        },
        selection,
      );
      printAccount(context, made);
      if (!context.json && !made.secretNames.includes("webhookSecret"))
        context.err.write(
          `Enter the address of its webhooks at the provider, then: weir payments account update ${key} --secret webhookSecret=-\n`,
        );
    });

  account
    .command("update")
    .argument("<account>", "id or key")
    .option("--name <name>")
    .option("--setting <name=value>", "again for more; the others stay", collect, [])
    .option("--secret <name=source>", `${secretSource}; the others stay`, collect, [])
    .option("--remove-setting <names>", "taken away", collectList, [])
    .option("--remove-secret <names>", "taken away", collectList, [])
    .option("--currency <codes>", "that it charges in from now on", collectList, [])
    .option("--all-currencies", "it charges in all")
    .description("change an account, such as a secret that was rotated")
    .action(async (idOrKey: string, options: AccountOptions, command: Command) => {
      const context = contextOf(command);
      const settings = [
        ...valuesOf(readPairs("--setting", options.setting)),
        ...removed(options.removeSetting),
      ];
      const secrets = [...valuesOf(readSecrets(options.secret)), ...removed(options.removeSecret)];
      const currencies =
        options.allCurrencies === true ? [] : options.currency.length === 0 ? undefined : options.currency;
      if (settings.length + secrets.length === 0 && currencies === undefined && options.name === undefined)
        throw new UsageError("nothing to change: give --name, --setting, --secret, --currency …");
      const changed = await mutate<Account>(
        context,
        "updateProviderAccount",
        {
          account: ["String!", idOrKey],
          name: ["String", options.name],
          settings: ["[ProviderValueInput!]", settings],
          secrets: ["[ProviderValueInput!]", secrets],
          currencies: ["[String!]", currencies],
        },
        selection,
      );
      printAccount(context, changed);
    });

  account
    .command("archive")
    .argument("<account>", "id or key")
    .description("no new charges go through it; what is under way ends as it does")
    .action(async (idOrKey: string, _options: object, command: Command) => {
      const context = contextOf(command);
      const done = await mutate<Account>(
        context,
        "archiveProviderAccount",
        { account: ["String!", idOrKey] },
        selection,
      );
      printAccount(context, done);
    });
}

export function providerAccounts(context: CliContext): Promise<Account[]> {
  return nodesOf<Account>(
    context,
    `query ($first: Int, $after: String) { connection: providerAccounts(first: $first, after: $after) { nodes ${selection} pageInfo { hasNextPage endCursor } } }`,
    {},
    100,
  );
}

/** The account that is named, or the only one that there is. @throws UsageError */
export async function accountNamed(context: CliContext, named: string | undefined): Promise<string> {
  if (named !== undefined) return named;
  const open = (await providerAccounts(context)).filter(({ archivedAt }) => archivedAt === null);
  const [only] = open;
  if (only !== undefined && open.length === 1) return only.id;
  throw new UsageError(
    open.length === 0
      ? "there is no provider account; weir payments account create"
      : `name the account with --account: ${open.map(({ key }) => key).join(", ")}`,
  );
}

/**
 * Secrets from files, variables or standard input. On the command line itself they would stay in the shell's history and show
 * in the list of processes, so that is refused, without repeating them.
 * @throws UsageError
 */
export function readSecrets(options: readonly string[]): Record<string, string> {
  const sources = Object.entries(readNames(options));
  if (sources.filter(([, source]) => source === "-").length > 1)
    throw new UsageError("--secret: standard input holds one secret; read the others from files");
  return Object.fromEntries(sources.map(([name, source]) => [name, readSecret(name, source)]));
}

function readNames(options: readonly string[]): Record<string, string> {
  const pairs = options.map((text) => {
    const at = text.indexOf("=");
    if (at < 1) throw new UsageError(`--secret: write ${secretSource}`);
    return [text.slice(0, at), text.slice(at + 1)] as const;
  });
  return Object.fromEntries(pairs);
}

function readSecret(name: string, source: string): string {
  if (source.startsWith("env:")) {
    const value = process.env[source.slice(4)];
    if (value === undefined || value === "")
      throw new UsageError(`--secret ${name}: the variable ${source.slice(4)} is not set`);
    return value;
  }
  if (source !== "-" && !source.startsWith("@"))
    throw new UsageError(
      `--secret ${name}: a secret does not belong on the command line, which others can read. Write ${secretSource}`,
    );
  try {
    const value = readFileSync(source === "-" ? 0 : source.slice(1), "utf8").trim();
    if (value === "") throw new Error("it is empty");
    return value;
  } catch (error) {
    throw new UsageError(`--secret ${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function valuesOf(values: Readonly<Record<string, string>>): { name: string; value: string }[] {
  return Object.entries(values).map(([name, value]) => ({ name, value }));
}

function removed(names: readonly string[]): { name: string; value: null }[] {
  return names.map((name) => ({ name, value: null }));
}

function printAccount(context: CliContext, account: Account): void {
  if (context.json) return printJson(context, account);
  printFields(context, [
    ["key", account.key],
    ["id", account.id],
    ["provider", account.provider],
    ["name", account.name],
    ...account.settings.map(({ name, value }) => [name, value] as const),
    ["secrets", account.secretNames.join(", ") || "none"],
    ["currencies", account.currencies.join(", ") || "all"],
    ["webhooks to", account.webhookUrl],
    ["archived", account.archivedAt],
  ]);
}
