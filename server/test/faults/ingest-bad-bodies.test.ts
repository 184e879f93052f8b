import net from "node:net";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { temporaryFolder } from "../support/temporary-folder.js";
import { startWeirProcess, type WeirProcess } from "../support/weir-process.js";
import { loadCompress, type Compress } from "./ingest/compressed.js";
import { growth_bytes_max } from "./ingest/growth.js";
import { checkAnswer, type IngestAnswer } from "./ingest/ingest-answer.js";
import { lyingHeads, type RawSending } from "./ingest/lying-heads.js";
import { gzipBomb, mebibyte, monsters, zstdBomb } from "./ingest/monster-bodies.js";
import { event, json, meter } from "./ingest/sent-event.js";

const soak = process.env["WEIR_SOAK"] === "1";
let compress: Compress;

beforeAll(async () => {
  compress = await loadCompress();
});

describe("bodies that nobody should send", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let weir: WeirProcess;
  let routes: string[];
  let stored = 0;
  let residentBefore = 0;

  beforeAll(async () => {
    folder = await temporaryFolder("fuzz");
    weir = await startWeirProcess(folder.dir, { WEIR_SEAL_AGE_MS: "50", WEIR_INSERT_INTERVAL_MS: "50" });
    await weir.fetch("/v1/meters", { method: "POST", body: JSON.stringify(meter) });
    const begun = await weir.fetch("/v1/imports", {
      method: "POST",
      body: JSON.stringify({ name: "fuzz", fingerprint: "f" }),
    });
    const { id } = (await begun.json()) as { id: string };
    routes = ["/v1/events", "/api/v1/events", `/v1/imports/${id}/events?firstRow=0&rows=1`];
    for (let n = 0; n < 20; n += 1) {
      const big = Array.from({ length: 5_000 }, (_, i) =>
        event(`warm${n}.${i}`, { data: { n: 0, pad: "x".repeat(500) } }),
      );
      await post("/v1/events", JSON.stringify(big), json);
    }
    residentBefore = await residentBytes();
  });
  afterAll(async () => {
    await weir.stop();
    await folder.remove();
  });

  async function residentBytes(): Promise<number> {
    const text = await (await weir.fetch("/metrics")).text();
    return Number(/^weir_process_resident_bytes (\d+)/m.exec(text)?.[1]);
  }

  async function post(
    route: string,
    body: string | Uint8Array,
    headers: Record<string, string>,
  ): Promise<IngestAnswer> {
    for (;;) {
      const response = await weir.fetch(route, { method: "POST", headers, body: body as string });
      const what = `${route} ${JSON.stringify(headers)} ${Buffer.from(body).subarray(0, 200).toString("latin1")}`;
      const answer = checkAnswer(response.status, response.headers, await response.text(), what);
      stored += answer.accepted;
      if (answer.status !== 503) return answer;
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
  }

  const contentTypes = fc.constantFrom(
    "application/json",
    "application/cloudevents+json",
    "application/cloudevents-batch+json",
    "application/x-ndjson",
    "application/json; charset=utf-16",
    "text/plain",
    "",
    ";;;",
    "multipart/form-data; boundary=x",
    "application/x-www-form-urlencoded",
  );
  const encodings = fc.constantFrom(
    "",
    "identity",
    "gzip",
    "zstd",
    "deflate",
    "br",
    "gzip, gzip",
    "GZIP",
    "x",
  );
  const route = fc.nat(2);

  /** A good body of any format, compressed by any encoding, cut off or changed somewhere. */
  const mangled = fc
    .record({
      events: fc.nat(3),
      format: fc.constantFrom("json", "lines"),
      encoding: fc.constantFrom("", "gzip", "zstd", "deflate"),
      cut: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
      flips: fc.array(
        fc.tuple(fc.double({ min: 0, max: 0.999, noNaN: true }), fc.integer({ min: 1, max: 255 })),
        { maxLength: 3 },
      ),
      salt: fc.nat(),
    })
    .map(({ events, format, encoding, cut, flips, salt }) => {
      const list = Array.from({ length: events }, (_, n) => event(`m${salt}.${n}`, { data: { n: 0 } }));
      const text =
        format === "json" ? JSON.stringify(list) : list.map((each) => JSON.stringify(each)).join("\n");
      let bytes: Uint8Array = compress(Buffer.from(text), encoding);
      if (cut !== null) bytes = bytes.slice(0, Math.floor(bytes.length * cut));
      for (const [where, bits] of flips) {
        const at = Math.floor(bytes.length * where);
        if (at < bytes.length) bytes[at]! ^= bits;
      }
      const type = format === "json" ? "application/json" : "application/x-ndjson";
      return {
        bytes,
        headers: { "content-type": type, ...(encoding === "" ? {} : { "content-encoding": encoding }) },
      };
    });

  test("random bytes under any header are refused with a problem", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 300 }),
        contentTypes,
        encodings,
        route,
        async (bytes, type, encoding, which) => {
          await post(routes[which]!, bytes, { "content-type": type, "content-encoding": encoding });
        },
      ),
      { numRuns: soak ? 20_000 : 400 },
    );
  });

  test("good bodies cut off or changed anywhere are refused or taken, never half", async () => {
    await fc.assert(
      fc.asyncProperty(mangled, route, async ({ bytes, headers }, which) => {
        await post(routes[which]!, bytes, headers as Record<string, string>);
      }),
      { numRuns: soak ? 20_000 : 400 },
    );
  });

  test("any JSON value, as the body, as an event, and as every field of one", async () => {
    const fields = [
      "id",
      "source",
      "type",
      "subject",
      "time",
      "data",
      "specversion",
      "datacontenttype",
      "data_base64",
    ] as const;
    await fc.assert(
      fc.asyncProperty(
        fc.jsonValue({ noUnicodeString: false }),
        fc.constantFrom(...fields),
        route,
        async (value, field, which) => {
          await post(routes[which]!, JSON.stringify(value), json);
          await post(
            routes[which]!,
            JSON.stringify([event(`v${Math.random()}`, { data: { n: 0 }, [field]: value })]),
            json,
          );
        },
      ),
      { numRuns: soak ? 5_000 : 150 },
    );
  });

  test.each(monsters)("%s", { timeout: 120_000 }, async (_, make, headers, expected) => {
    const body = make();
    for (const each of routes) {
      const began = performance.now();
      const { status, slug } = await post(each, body, headers);
      expect(expected.includes(status) || expected.includes(slug ?? ""), `${status} ${slug}`).toBe(true);
      expect(performance.now() - began, `${each} takes too long`).toBeLessThan(10_000);
    }
  });

  test("eight bombs at once", async () => {
    const bomb = gzipBomb();
    const other = zstdBomb(undefined);
    await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        post(routes[n % 3]!, n % 2 === 0 ? bomb : other, {
          ...json,
          "content-encoding": n % 2 === 0 ? "gzip" : "zstd",
        }),
      ),
    );
  });

  /** Sends bytes as they are, then ends; resolves to everything that came back. */
  function raw(bytes: string | Uint8Array, options: RawSending): Promise<string> {
    const { port, hostname } = new URL(weir.url);
    return new Promise((resolve) => {
      let received = "";
      const socket = net.connect(Number(port), hostname, () => {
        socket.write(bytes);
        if (options.end === true) socket.end();
      });
      const timer = setTimeout(() => socket.destroy(), options.waitMs ?? 150);
      socket.on("data", (chunk: Buffer) => (received += chunk.toString("latin1")));
      socket.on("error", () => {});
      socket.on("close", () => {
        clearTimeout(timer);
        resolve(received);
      });
    });
  }

  const head = (which: string, headers: string) =>
    `POST ${which} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${weir.key}\r\ncontent-type: application/json\r\n${headers}\r\n\r\n`;

  test("requests whose head lies get a problem or no answer", async () => {
    for (const [what, make, options] of lyingHeads) {
      for (const which of routes) {
        const received = await raw(
          make((headers) => head(which, headers)),
          options,
        );
        // What is left over after a request that said too little is a request of its own: the answers stand in a row.
        for (const answer of received.split(/(?=HTTP\/1\.1 \d{3} )/).filter((text) => text !== "")) {
          const [top = "", text = ""] = answer.split("\r\n\r\n", 2);
          const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(top)?.[1]);
          const type = /^content-type: (.*)$/im.exec(top)?.[1] ?? null;
          const accepted = /^weir-accepted: (.*)$/im.exec(top)?.[1] ?? "0";
          const headers = { get: (name: string) => (name === "content-type" ? type : accepted) };
          stored += checkAnswer(status, headers, text, `${what}: ${answer.slice(0, 400)}`).accepted;
        }
      }
    }
  });

  test("a body over the limit in chunks is refused although it goes on", async () => {
    const { port, hostname } = new URL(weir.url);
    const chunk = Buffer.concat([
      Buffer.from("100000\r\n"),
      Buffer.alloc(mebibyte, 0x20),
      Buffer.from("\r\n"),
    ]);
    for (const which of routes) {
      let received = "";
      let sent = 0;
      await new Promise<void>((resolve) => {
        const socket = net.connect(Number(port), hostname, () => {
          socket.write(head(which, "transfer-encoding: chunked"));
          const more = () => {
            while (sent < 200 && socket.writable) {
              sent += 1;
              if (!socket.write(chunk)) return;
            }
            socket.end();
          };
          socket.on("drain", more);
          more();
        });
        socket.on("data", (bytes: Buffer) => (received += bytes.toString("latin1")));
        socket.on("error", () => {});
        socket.on("close", () => resolve());
      });
      expect(received).toMatch(/^HTTP\/1\.1 413 /);
      expect(received).toContain("problems/body-too-large");
    }
  });

  test("a hundred bodies that drip do not hold up anybody else", async () => {
    const { port, hostname } = new URL(weir.url);
    const dripping = Array.from({ length: 100 }, (_, n) => {
      const socket = net.connect(Number(port), hostname);
      socket.on("error", () => {});
      socket.write(head(routes[n % 3]!, "content-length: 1000000") + "[");
      const timer = setInterval(() => socket.write(" "), 50);
      return () => {
        clearInterval(timer);
        socket.destroy();
      };
    });
    for (let n = 0; n < 20; n += 1) {
      const began = performance.now();
      expect(
        (await post("/v1/events", JSON.stringify([event(`drip${n}`, { type: "none" })]), json)).status,
      ).toBe(202);
      expect(performance.now() - began).toBeLessThan(5_000);
    }
    for (const stop of dripping) stop();
  });

  test("after all this the process lives, has not grown, and counts good batches of every encoding exactly", async () => {
    expect(weir.child.exitCode).toBeNull();
    const before = await sum();
    for (const encoding of ["", "gzip", "deflate", "zstd"]) {
      const good = Array.from({ length: 1_000 }, (_, n) => event(`good ${encoding} ${n}`, { data: { n } }));
      const headers = { ...json, ...(encoding === "" ? {} : { "content-encoding": encoding }) };
      const answer = await post("/v1/events", compress(Buffer.from(JSON.stringify(good)), encoding), headers);
      expect(answer).toMatchObject({ status: 202, accepted: 1_000 });
    }
    await expect.poll(sum, { timeout: 120_000 }).toBe(before + 4 * 499_500);
    const grown = (await residentBytes()) - residentBefore;
    expect(grown, `grown by ${Math.round(grown / mebibyte)} MiB`).toBeLessThan(growth_bytes_max);
    const text = await (await weir.fetch("/metrics")).text();
    expect(text).toMatch(/weir_stream_quarantined\{[^}]*\} 0\n/);
    expect(weir.output()).not.toContain("a request failed");
    expect(stored).toBeGreaterThan(10_000);
  });

  async function sum(): Promise<number> {
    const { data } = (await (await weir.fetch("/v1/meters/n/query")).json()) as { data: { value: string }[] };
    return Number(data[0]?.value ?? 0);
  }
});
