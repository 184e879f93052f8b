import path from "node:path";
import { describe, expect, test } from "vitest";
import { ConfigError, describeConfig, loadConfig } from "./config.js";

describe("the environment", () => {
  test("empty: everything has a default", () => {
    const config = loadConfig({});
    expect(config).toMatchObject({
      dataDir: path.resolve(".weir"),
      httpPort: 8080,
      otlpHttpPort: 4318,
      otlpGrpcPort: 4317,
      demo: true,
      ingest: {
        dedupWindowDays: 35,
        futureToleranceSeconds: 300,
        eventsPerRequestMax: 10_000,
        bodyBytesMax: 16 * 2 ** 20,
      },
      stream: { sealBytes: 16 * 2 ** 20, sealAgeMs: 500 },
    });
    expect("bootstrapKey" in config || "databaseUrl" in config || "clickhouseUrl" in config).toBe(false);
  });

  test("a variable set to nothing is not set", () => {
    expect(
      loadConfig({ WEIR_HTTP_PORT: "", DATABASE_URL: "", WEIR_BOOTSTRAP_KEY: "", WEIR_DATA_DIR: "" }),
    ).toEqual(loadConfig({}));
  });

  test("mail has a server and an address to write from, or neither", () => {
    expect(loadConfig({}).mail).toBeUndefined();
    const env = {
      WEIR_SMTP_URL: "smtps://weir:hunter2@mail.example:465",
      WEIR_MAIL_FROM: "Nimbus <mail@nimbus.example>",
    };
    const config = loadConfig(env);
    expect(config.mail).toEqual({
      smtpUrl: env.WEIR_SMTP_URL,
      from: env.WEIR_MAIL_FROM,
      testClocks: false,
      perMinuteMax: 300,
    });
    expect(JSON.stringify(describeConfig(config))).not.toContain("hunter2");
    expect(loadConfig({ ...env, WEIR_MAIL_TEST_CLOCKS: "on" }).mail?.testClocks).toBe(true);
    for (const [bad, told] of [
      [{ WEIR_SMTP_URL: env.WEIR_SMTP_URL }, "WEIR_SMTP_URL needs WEIR_MAIL_FROM"],
      [{ WEIR_MAIL_FROM: env.WEIR_MAIL_FROM }, "of no use without WEIR_SMTP_URL"],
      [{ ...env, WEIR_MAIL_FROM: "Nimbus" }, "must be an address"],
      [{ ...env, WEIR_SMTP_URL: "http://mail.example" }, "begins with smtp:// or smtps://"],
      [{ ...env, WEIR_SMTP_URL: "smtp://" }, "must name a host"],
      [{ ...env, WEIR_MAIL_PER_MINUTE_MAX: "0" }, "WEIR_MAIL_PER_MINUTE_MAX"],
    ] as const)
      expect(() => loadConfig(bad), told).toThrow(told);
  });

  test("the address that customers reach has no slash at its end, and nothing behind its path", () => {
    expect(loadConfig({}).publicUrl).toBeUndefined();
    expect(loadConfig({ WEIR_PUBLIC_URL: "" }).publicUrl).toBeUndefined();
    expect(loadConfig({ WEIR_PUBLIC_URL: "https://billing.example" }).publicUrl).toBe(
      "https://billing.example",
    );
    expect(loadConfig({ WEIR_PUBLIC_URL: "https://example.com/weir/" }).publicUrl).toBe(
      "https://example.com/weir",
    );
    for (const bad of [
      "billing.example",
      "ftp://a.example",
      "https://u:p@a.example",
      "https://a.example/?x",
      "https://a.example/#x",
    ])
      expect(() => loadConfig({ WEIR_PUBLIC_URL: bad }), bad).toThrow("WEIR_PUBLIC_URL");
  });

  test("what automation relies on", () => {
    const config = loadConfig({
      WEIR_DATA_DIR: "/srv/weir",
      WEIR_HTTP_PORT: "0",
      WEIR_OTLP_HTTP_PORT: "14318",
      WEIR_OTLP_GRPC_PORT: "14317",
      WEIR_DEMO: "off",
      WEIR_BOOTSTRAP_KEY: "a-key-of-24-characters-x",
      DATABASE_URL: "postgres://weir@db/weir",
      CLICKHOUSE_URL: "https://ch:8443",
    });
    expect(config).toMatchObject({
      dataDir: "/srv/weir",
      httpPort: 0,
      otlpHttpPort: 14318,
      otlpGrpcPort: 14317,
      demo: false,
      bootstrapKey: "a-key-of-24-characters-x",
      databaseUrl: "postgres://weir@db/weir",
      clickhouseUrl: "https://ch:8443",
    });
  });

  test("every bad variable is named at once, secrets excepted", () => {
    const env = {
      WEIR_HTTP_PORT: "http",
      WEIR_OTLP_GRPC_PORT: "70000",
      WEIR_DEMO: "maybe",
      WEIR_BOOTSTRAP_KEY: "too-short-a-secret",
      WEIR_MASTER_KEY: "bm90IDMyIGJ5dGVz",
      DATABASE_URL: "mysql://root:hunter2@db",
      CLICKHOUSE_URL: "not a url",
      WEIR_LOG_LEVEL: "loud",
      WEIR_DEDUP_WINDOW_DAYS: "1.5",
    };
    let message = "";
    try {
      loadConfig(env);
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      message = (error as Error).message;
    }
    for (const name of Object.keys(env)) expect(message).toContain(name);
    expect(message).not.toMatch(/hunter2|too-short-a-secret|bm90IDMy/);
  });
});

test("the description masks keys and passwords and keeps the rest", () => {
  const described = describeConfig(
    loadConfig({
      WEIR_BOOTSTRAP_KEY: "a-key-of-24-characters-x",
      DATABASE_URL: "postgresql://weir:hunter2@db:5432/weir?sslpassword=hunter3&application_name=w",
      CLICKHOUSE_URL: "http://default:hunter4@ch:8123",
    }),
  );
  const text = JSON.stringify(described);
  expect(text).not.toMatch(/hunter|24-characters/);
  expect(described["databaseUrl"]).toContain("db:5432/weir");
  expect(described["httpPort"]).toBe(8080);
});

describe("master keys", () => {
  const [first, second] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
  test("several are separated by commas, the first first, and none is shown", () => {
    const config = loadConfig({
      WEIR_MASTER_KEY: `${first.toString("base64")}, ${second.toString("base64url")}`,
    });
    expect(config.masterKeys).toEqual([first, second]);
    expect(describeConfig(config)["masterKeys"]).toEqual(["***", "***"]);
  });

  test.each([
    ["too short", Buffer.alloc(31, 1).toString("base64")],
    ["too long", Buffer.alloc(33, 1).toString("base64")],
    ["twice the same", `${first.toString("base64")},${first.toString("base64url")}`],
    ["an empty one", `${first.toString("base64")},`],
    ["hexadecimal", first.toString("hex")],
    ["too many", Array.from({ length: 17 }, (_, n) => Buffer.alloc(32, n).toString("base64")).join(",")],
  ])("%s is refused", (_name, text) => {
    expect(() => loadConfig({ WEIR_MASTER_KEY: text })).toThrow(/WEIR_MASTER_KEY must be the base64 text/);
  });
});
