import type { Letter } from "./letter.js";

/** A letter as plain text. */
export function textOf({ greeting, paragraphs, action, closing, seller }: Letter): string {
  return [
    greeting,
    ...paragraphs,
    ...(action === undefined ? [] : [`${action.label}:\n${action.link}`]),
    `${closing}\n${seller}`,
  ]
    .map((paragraph) => `${paragraph}\n`)
    .join("\n");
}

/** The same as a page of HTML, without script, image or address but the letter's own link. Every text is escaped. */
export function htmlOf(letter: Letter): string {
  const { language, subject, greeting, paragraphs, action, linkHint, closing, seller } = letter;
  const paragraph = (text: string) => `<p style="margin:0 0 16px">${escaped(text)}</p>`;
  const button =
    action === undefined
      ? ""
      : `<p style="margin:0 0 16px"><a href="${escaped(action.link)}" style="display:inline-block;padding:10px 18px;background:#1f4e79;color:#ffffff;text-decoration:none;border-radius:4px">${escaped(action.label)}</a></p>
<p style="margin:0 0 16px;color:#555555;font-size:13px">${escaped(linkHint)}<br>${escaped(action.link)}</p>`;
  return `<!doctype html>
<html lang="${escaped(language)}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(subject)}</title></head>
<body style="margin:0;padding:24px;font-family:Arial,Helvetica,sans-serif;font-size:15px;line-height:1.5;color:#1a1a1a">
<div style="max-width:600px">
${[greeting, ...paragraphs].map(paragraph).join("\n")}
${button}
<p style="margin:0">${escaped(closing)}<br>${escaped(seller)}</p>
</div>
</body>
</html>
`;
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
