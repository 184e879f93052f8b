import { expect, test } from "vitest";
import { Weir } from "./index.js";

test("the journal comes as it is made, under the name that the server gives it", async () => {
  const asked: URL[] = [];
  const weir = new Weir({
    baseUrl: "http://127.0.0.1:1",
    apiKey: "key",
    fetch: async (input) => {
      asked.push(new URL(input instanceof Request ? input.url : input));
      const content = new ReadableStream<Uint8Array>({
        start(controller) {
          for (const text of ["posted_at\r\n", "2026-10-01T00:00:00Z\r\n"])
            controller.enqueue(new TextEncoder().encode(text));
          controller.close();
        },
      });
      const headers = { "content-disposition": 'attachment; filename="journal-2026-10-01-2026-11-01.csv"' };
      return new Response(content, { headers });
    },
  });
  const { name, content } = await weir.ledger.journal({ from: "2026-10-01T00:00:00Z" });
  expect(name).toBe("journal-2026-10-01-2026-11-01.csv");
  expect(await new Response(content).text()).toBe("posted_at\r\n2026-10-01T00:00:00Z\r\n");
  expect(asked[0]?.pathname).toBe("/v1/ledger/journal");
  expect(Object.fromEntries(asked[0]?.searchParams ?? [])).toEqual({
    format: "csv",
    from: "2026-10-01T00:00:00Z",
  });
});
