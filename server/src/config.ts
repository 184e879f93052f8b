import path from "node:path";
import { parseMailbox } from "./kernel/email-address.js";
import type { LogLevel } from "./kernel/log.js";
import type { MailConfig } from "./mail/index.js";

export const roles = ["ingest", "writer", "worker", "api"] as const;
export type Role = (typeof roles)[number];

/** Every setting of the process, checked. The environment is read here and nowhere else. */
export interface Config {
  readonly dataDir: string;
  readonly host: string;
  /** 0 takes any free port. */
  readonly httpPort: number;
  readonly otlpHttpPort: number;
  readonly otlpGrpcPort: number;
  readonly demo: boolean;
  readonly bootstrapKey?: string;
  /** 32 bytes each: the first seals secrets, all open them. */
  readonly masterKeys?: readonly Uint8Array[];
  /** Where customers and providers reach this server, such as https://billing.example.com; no slash at its end. */
  readonly publicUrl?: string;
  readonly databaseUrl?: string;
  readonly clickhouseUrl?: string;
  readonly logLevel: LogLevel;
  readonly ingest: {
    readonly dedupWindowDays: number;
    readonly futureToleranceSeconds: number;
    readonly eventsPerRequestMax: number;
    /** Of a body after decompression. */
    readonly bodyBytesMax: number;
    /** Per organization. */
    readonly eventsPerSecondMax: number;
    readonly requestsInFlightMax: number;
  };
  readonly stream: {
    readonly sealBytes: number;
    readonly sealAgeMs: number;
    readonly backlogBytesMax: number;
    readonly diskFreeBytesMin: number;
    readonly batchBytesMax: number;
    readonly insertIntervalMs: number;
  };
  readonly columnar: { readonly memoryBytesMax: number };
  readonly imports: {
    /** Of an uploaded file, after decompression. */
    readonly fileBytesMax: number;
    /** Files of one organization that wait or are at work. */
    readonly filesMax: number;
    readonly filesBytesMax: number;
  };
  readonly webhooks: {
    /** For development: receivers by http and at private addresses too. */
    readonly allowPrivate: boolean;
  };
  /** Undefined without an SMTP server: mails are recorded, and not sent. */
  readonly mail?: MailConfig;
  readonly settlement: {
    /** Of a settlement file, after decompression. */
    readonly fileBytesMax: number;
    /** Files of one organization that wait or are at work. */
    readonly filesMax: number;
    readonly filesBytesMax: number;
  };
  readonly prepaid: {
    /** Usage that arrives within so many minutes is looked at once, at their end, for its effect on prepaid balances. */
    readonly lookMinutes: number;
  };
  /** How long ended workflow runs are kept. */
  readonly runRetentionDays: number;
}

/** Thrown once for all settings that are wrong. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

const mebibyte = 1024 * 1024;
const master_keys_max = 16;

/** @throws ConfigError with a line for every bad variable */
export function loadConfig(env: NodeJS.ProcessEnv): Config {
  const faults: string[] = [];
  const number = (name: string, fallback: number, min: number, max: number): number => {
    const text = env[name];
    if (text === undefined || text === "") return fallback;
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    faults.push(`${name}="${text}" must be a whole number from ${min} to ${max}`);
    return fallback;
  };
  const choice = <T extends string>(name: string, fallback: T, values: readonly T[]): T => {
    const text = env[name];
    if (text === undefined || text === "") return fallback;
    const found = values.find((value) => value === text.toLowerCase());
    if (found === undefined) faults.push(`${name}="${text}" must be one of ${values.join(", ")}`);
    return found ?? fallback;
  };
  const url = (name: string, protocols: readonly string[]): string | undefined => {
    const text = env[name];
    if (text === undefined || text === "") return undefined;
    if (!URL.canParse(text) || !protocols.includes(new URL(text).protocol)) {
      faults.push(`${name} must be a URL that begins with ${protocols.join("// or ")}//`);
    }
    return text;
  };
  const bootstrapKey = env["WEIR_BOOTSTRAP_KEY"] === "" ? undefined : env["WEIR_BOOTSTRAP_KEY"];
  if (bootstrapKey !== undefined && !/^[\x21-\x7e]{24,512}$/.test(bootstrapKey)) {
    faults.push("WEIR_BOOTSTRAP_KEY must have 24 to 512 printable ASCII characters without spaces");
  }
  const masterKeys = readMasterKeys(env["WEIR_MASTER_KEY"] ?? "");
  if (masterKeys === undefined) {
    faults.push(
      `WEIR_MASTER_KEY must be the base64 text of 32 random bytes (openssl rand -base64 32); at most ${master_keys_max} different ones, separated by commas, the one that seals first`,
    );
  }
  const mail = readMail(env, url("WEIR_SMTP_URL", ["smtp:", "smtps:"]), faults, {
    testClocks: choice("WEIR_MAIL_TEST_CLOCKS", "off", ["on", "off"]) === "on",
    perMinuteMax: number("WEIR_MAIL_PER_MINUTE_MAX", 300, 1, 100_000),
  });
  const publicUrl = readPublicUrl(env["WEIR_PUBLIC_URL"] ?? "");
  if (publicUrl === undefined) {
    faults.push(
      "WEIR_PUBLIC_URL must be a URL such as https://billing.example.com, without credentials, question mark or #",
    );
  }
  const databaseUrl = url("DATABASE_URL", ["postgres:", "postgresql:"]);
  const clickhouseUrl = url("CLICKHOUSE_URL", ["http:", "https:"]);
  const config: Config = {
    dataDir: path.resolve(env["WEIR_DATA_DIR"] || ".weir"),
    host: env["WEIR_HOST"] || "127.0.0.1",
    httpPort: number("WEIR_HTTP_PORT", 8080, 0, 65_535),
    otlpHttpPort: number("WEIR_OTLP_HTTP_PORT", 4318, 0, 65_535),
    otlpGrpcPort: number("WEIR_OTLP_GRPC_PORT", 4317, 0, 65_535),
    demo: choice("WEIR_DEMO", "on", ["on", "off"]) === "on",
    ...(bootstrapKey === undefined ? {} : { bootstrapKey }),
    ...(masterKeys === undefined || masterKeys.length === 0 ? {} : { masterKeys }),
    ...(publicUrl === undefined || publicUrl === "" ? {} : { publicUrl }),
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
    ...(clickhouseUrl === undefined ? {} : { clickhouseUrl }),
    ...(mail === undefined ? {} : { mail }),
    logLevel: choice("WEIR_LOG_LEVEL", "info", ["debug", "info", "warn", "error", "silent"]),
    ingest: {
      dedupWindowDays: number("WEIR_DEDUP_WINDOW_DAYS", 35, 1, 400),
      futureToleranceSeconds: 300,
      eventsPerRequestMax: 10_000,
      bodyBytesMax: 16 * mebibyte,
      eventsPerSecondMax: number("WEIR_EVENTS_PER_SECOND_MAX", 500_000, 1, 100_000_000),
      requestsInFlightMax: number("WEIR_REQUESTS_IN_FLIGHT_MAX", 1_000, 1, 100_000),
    },
    stream: {
      sealBytes: number("WEIR_SEAL_BYTES", 16 * mebibyte, 1024, 256 * mebibyte),
      sealAgeMs: number("WEIR_SEAL_AGE_MS", 500, 10, 60_000),
      backlogBytesMax: number("WEIR_BACKLOG_BYTES_MAX", 2048 * mebibyte, mebibyte, Number.MAX_SAFE_INTEGER),
      diskFreeBytesMin: number("WEIR_DISK_FREE_BYTES_MIN", 512 * mebibyte, 0, Number.MAX_SAFE_INTEGER),
      batchBytesMax: 64 * mebibyte,
      insertIntervalMs: number("WEIR_INSERT_INTERVAL_MS", 500, 0, 60_000),
    },
    columnar: {
      memoryBytesMax: number(
        "WEIR_COLUMNAR_MEMORY_BYTES_MAX",
        4096 * mebibyte,
        256 * mebibyte,
        Number.MAX_SAFE_INTEGER,
      ),
    },
    imports: {
      fileBytesMax: number("WEIR_IMPORT_BYTES_MAX", 1024 * mebibyte, 1, Number.MAX_SAFE_INTEGER),
      filesMax: number("WEIR_IMPORT_FILES_MAX", 20, 1, 10_000),
      filesBytesMax: number("WEIR_IMPORT_FILES_BYTES_MAX", 4096 * mebibyte, 1, Number.MAX_SAFE_INTEGER),
    },
    webhooks: { allowPrivate: choice("WEIR_WEBHOOKS_ALLOW_PRIVATE", "off", ["on", "off"]) === "on" },
    settlement: {
      fileBytesMax: number("WEIR_SETTLEMENT_BYTES_MAX", 2048 * mebibyte, 1, Number.MAX_SAFE_INTEGER),
      filesMax: number("WEIR_SETTLEMENT_FILES_MAX", 200, 1, 10_000),
      filesBytesMax: number("WEIR_SETTLEMENT_FILES_BYTES_MAX", 8192 * mebibyte, 1, Number.MAX_SAFE_INTEGER),
    },
    prepaid: { lookMinutes: number("WEIR_BALANCE_LOOK_MINUTES", 15, 1, 1_440) },
    runRetentionDays: number("WEIR_RUN_RETENTION_DAYS", 30, 1, 36_500),
  };
  if (faults.length > 0) {
    throw new ConfigError(
      `Weir cannot start with this environment:\n${faults.map((fault) => `  - ${fault}`).join("\n")}`,
    );
  }
  return config;
}

/** Adds a fault where the server is given without an address to write from, or either is none. */
function readMail(
  env: NodeJS.ProcessEnv,
  smtpUrl: string | undefined,
  faults: string[],
  rest: Pick<MailConfig, "testClocks" | "perMinuteMax">,
): MailConfig | undefined {
  const from = env["WEIR_MAIL_FROM"] || undefined;
  if (from !== undefined && parseMailbox(from) === undefined)
    faults.push(`WEIR_MAIL_FROM="${from}" must be an address such as Nimbus <billing@nimbus.example>`);
  if (smtpUrl === undefined) {
    if (from !== undefined) faults.push("WEIR_MAIL_FROM is of no use without WEIR_SMTP_URL");
    return undefined;
  }
  if (URL.canParse(smtpUrl) && new URL(smtpUrl).hostname === "")
    faults.push("WEIR_SMTP_URL must name a host: smtp://user:password@mail.example:587");
  if (from === undefined) faults.push("WEIR_SMTP_URL needs WEIR_MAIL_FROM, the address to write from");
  return { smtpUrl, from: from ?? "", ...rest };
}

/** The configuration without secrets: keys and passwords in URLs are masked. */
export function describeConfig(config: Config): Record<string, unknown> {
  return {
    ...config,
    ...(config.bootstrapKey === undefined ? {} : { bootstrapKey: "***" }),
    ...(config.masterKeys === undefined ? {} : { masterKeys: config.masterKeys.map(() => "***") }),
    ...(config.databaseUrl === undefined ? {} : { databaseUrl: maskUrl(config.databaseUrl) }),
    ...(config.clickhouseUrl === undefined ? {} : { clickhouseUrl: maskUrl(config.clickhouseUrl) }),
    ...(config.mail === undefined ? {} : { mail: { ...config.mail, smtpUrl: maskUrl(config.mail.smtpUrl) } }),
  };
}

/** Without the slash at its end. @returns undefined unless paths can be put behind it */
function readPublicUrl(text: string): string | undefined {
  if (text === "") return "";
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const isPlain = url.search === "" && url.hash === "" && url.username === "" && url.password === "";
  if (!/^https?:$/.test(url.protocol) || !isPlain) return undefined;
  return url.href.replace(/\/+$/, "");
}

/** @returns undefined unless each is the base64 text of 32 bytes, and no two are the same */
function readMasterKeys(text: string): readonly Uint8Array[] | undefined {
  if (text.trim() === "") return [];
  const texts = text.split(",").map((part) => part.trim());
  if (texts.length > master_keys_max || !texts.every((part) => /^[A-Za-z0-9+/_-]{43}=?$/.test(part)))
    return undefined;
  const keys = texts.map((part) => Buffer.from(part, "base64"));
  const different = new Set(keys.map((key) => key.toString("hex")));
  return different.size === keys.length ? keys : undefined;
}

function maskUrl(text: string): string {
  const url = new URL(text);
  if (url.password !== "") url.password = "***";
  if (url.username !== "") url.username = "***";
  for (const name of new Set(url.searchParams.keys())) {
    if (/pass|secret|token|key/i.test(name)) url.searchParams.set(name, "***");
  }
  return url.toString();
}
