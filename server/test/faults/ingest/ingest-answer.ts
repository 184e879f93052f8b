import { expect } from "vitest";

export interface IngestAnswer {
  readonly status: number;
  readonly slug: string | undefined;
  readonly accepted: number;
}

/** Every answer of an ingest route is a receipt or a problem; nothing is Weir's own fault. */
export function checkAnswer(
  status: number,
  headers: { get(name: string): string | null },
  text: string,
  what: string,
): IngestAnswer {
  if (status === 204) {
    expect(text, what).toBe("");
    return { status, slug: undefined, accepted: Number(headers.get("weir-accepted")) };
  }
  const document = JSON.parse(text) as Record<string, unknown>;
  if (status === 202) {
    expect(document, what).toMatchObject({ accepted: expect.any(Number), duplicates: expect.any(Number) });
    return { status, slug: undefined, accepted: Number(document["accepted"]) };
  }
  expect(headers.get("content-type"), what).toBe("application/problem+json");
  expect(document, what).toMatchObject({
    status,
    type: expect.stringMatching(/^https:\/\/weir\.dev\/problems\/[a-z0-9-]+$/),
    title: expect.any(String),
    detail: expect.any(String),
  });
  const slug = String(document["type"]).split("/").at(-1);
  if (status === 503) expect(slug, `${what}: only load may be shed`).toBe("overloaded");
  else expect(status, `${what}: ${text.slice(0, 500)}`).toBeLessThan(500);
  return { status, slug, accepted: 0 };
}
