import { expect, test } from "vitest";
import { describeTarget, formatConnectionUrl, parseConnectionUrl } from "./connection-target.js";

test("a URL in full", () => {
  expect(parseConnectionUrl("postgres://weir:p%40ss@db.example:6432/books?sslmode=require")).toEqual({
    host: "db.example",
    port: 6432,
    database: "books",
    user: "weir",
    password: "p@ss",
    settings: { sslmode: "require" },
  });
});

test("a Unix socket's folder, in libpq's two forms", () => {
  expect(parseConnectionUrl("postgresql://weir@localhost/books?host=/run/postgresql")).toMatchObject({
    host: "/run/postgresql",
    port: 5432,
  });
  expect(parseConnectionUrl("postgresql://weir@%2Frun%2Fpostgresql:5433/books")).toMatchObject({
    host: "/run/postgresql",
    port: 5433,
  });
  expect(parseConnectionUrl("postgresql://weir@/books?host=/run/postgresql")).toMatchObject({
    host: "/run/postgresql",
  });
});

test("a target becomes a URL that says the same", () => {
  for (const text of [
    "postgresql://weir:p%40ss@db.example:6432/books?sslmode=require",
    "postgresql://weir@localhost:5432/books?host=%2Frun",
  ]) {
    const target = parseConnectionUrl(text);
    expect(formatConnectionUrl(target)).toBe(text);
    expect(parseConnectionUrl(formatConnectionUrl(target))).toEqual(target);
    expect(describeTarget(target)).not.toContain("p@ss");
  }
});

test("what is missing or wrong is named, without the password", () => {
  for (const [text, message] of [
    ["nothing", /is not a URL/],
    ["mysql://u:hunter2@h/d", /begin with postgresql:/],
    ["postgresql://u:hunter2@h", /names no database/],
    ["postgresql://h/d", /names no user/],
  ] as const) {
    expect(() => parseConnectionUrl(text)).toThrow(message);
    expect(() => parseConnectionUrl(text)).not.toThrow(/hunter2/);
  }
});
