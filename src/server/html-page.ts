/** Plain pages for people whose browser was sent here: no script, no style, nothing from elsewhere. */
import { type Answer, htmlAnswer } from './answer.ts';

export interface HtmlPage {
  readonly status: number;
  readonly title: string;
  readonly paragraphs: readonly string[];
  readonly link?: { readonly href: string; readonly text: string } | null;
}

/** The page; every text in it is escaped. */
export function pageAnswer({ status, title, paragraphs, link = null }: HtmlPage): Answer {
  const lines = [
    '<!DOCTYPE html>',
    '<html lang="en">',
    `<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title></head>`,
    '<body>',
    `<h1>${escapeHtml(title)}</h1>`,
    ...paragraphs.map((text) => `<p>${escapeHtml(text)}</p>`),
    ...(link === null
      ? []
      : [`<p><a rel="noreferrer" href="${escapeHtml(link.href)}">${escapeHtml(link.text)}</a></p>`]),
    '</body>',
    '</html>',
    '',
  ];
  return { ...htmlAnswer(lines.join('\n')), status };
}

const ENTITIES: Readonly<Record<string, string>> = Object.freeze({
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
});

/** `text` for an element or a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
