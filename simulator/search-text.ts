/** How search compares words, phrases and whole values. */

const escapePattern = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');

const NEVER = /(?!)/;
const ALWAYS = /(?:)/;

/**
 * Words match at the beginning of a word ("top" finds "Dessert Toppings", not "Desktop"); phrases match whole
 * words in order. Punctuation doesn't count. A lone `*` is any text.
 */
export const textPattern = (value: string, phrase: boolean): RegExp => {
  if (/^\*+$/.test(value)) return ALWAYS;
  const words = value
    .split(/[^\p{L}\p{N}_]+/u)
    .filter(Boolean)
    .map(escapePattern);
  if (words.length === 0) return NEVER;
  return new RegExp(
    `(?<![\\p{L}\\p{N}_])${words.join('[^\\p{L}\\p{N}_]+')}${phrase ? '(?![\\p{L}\\p{N}_])' : ''}`,
    'iu',
  );
};

/** Whole values, case-insensitive, `*` for any rest. */
export const valuePattern = (value: string): RegExp =>
  new RegExp(`^${value.split(/\*+/).map(escapePattern).join('.*')}$`, 'iu');
