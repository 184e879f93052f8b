/** A POST to the public API; the answer's body. @throws Error for a refusal, a failure, and GraphQL's errors */
export type ApiCaller = (path: string, body: unknown) => Promise<Readonly<Record<string, unknown>>>;

export function apiCaller(url: string, key: string): ApiCaller {
  return async (path, body) => {
    const response = await fetch(new URL(path, url), {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok || text.includes('"errors"')) throw new Error(`${path}: ${text.slice(0, 500)}`);
    return text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
  };
}
