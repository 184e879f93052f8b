/** Text as it may stand in HTML, in an attribute too. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

const style = `body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:3rem auto;padding:0 1rem;color:#1a1f36}
h1{font-size:1.3rem}label{display:block;margin:.8rem 0 .2rem}input{font:inherit;padding:.5rem;width:100%;box-sizing:border-box;border:1px solid #a3acb9;border-radius:6px}
.row{display:flex;gap:1rem}.row>*{flex:1}button,.button{font:inherit;display:inline-block;margin:1.2rem .6rem 0 0;padding:.6rem 1.2rem;border:0;border-radius:6px;background:#635bff;color:#fff;text-decoration:none;cursor:pointer}
.quiet{background:#e3e8ee;color:#1a1f36}.error{background:#fde2e4;border-radius:6px;padding:.6rem .8rem}table{border-collapse:collapse;font-size:.85rem}td{padding:.1rem .8rem .1rem 0}small{color:#697386}`;

/** A whole page; `body` is HTML already. */
export function htmlPage(title: string, body: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${escapeHtml(title)}</title><style>${style}</style></head><body><h1>${escapeHtml(title)}</h1>${body}<p><small>A page of Weir's Stripe simulator. No money moves here; never enter a real card.</small></p></body></html>`;
}
