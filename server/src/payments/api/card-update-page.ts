/** What a customer sees of a card-update link when it leads no further. No scripts, nothing of anyone's, nothing loaded. */
export interface CardUpdatePage {
  readonly status: number;
  readonly html: string;
}

export const pageHeaders: Readonly<Record<string, string>> = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "x-robots-tag": "noindex",
  // The address is what lets one enter a card: it is kept nowhere, and told to nobody.
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
};

export const pages = {
  invalid: page(
    404,
    "This link is not valid",
    "It may have been cut off. Open it again from the message, or ask whoever sent it.",
  ),
  expired: page(410, "This link has expired", "Ask whoever sent it for a new one."),
  gone: page(410, "This link is of no use any more", "Ask whoever sent it for a new one."),
  busy: page(429, "This link was opened too often", "Wait some minutes, and open it again."),
  unavailable: page(
    503,
    "This does not work right now",
    "Nothing was lost or changed. Open the link again in some minutes.",
  ),
  done: page(200, "Thank you", "If you entered a card, it is used from now on. You can close this page."),
} as const;

function page(status: number, title: string, text: string): CardUpdatePage {
  const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title}</title>
<style>
  :root { color-scheme: light dark; }
  body { font: 16px/1.6 system-ui, sans-serif; max-width: 32rem; margin: 4rem auto; padding: 0 1rem; }
  h1 { font-weight: 600; font-size: 1.5rem; }
</style>
<h1>${title}</h1>
<p>${text}</p>
</html>
`;
  return { status, html };
}
