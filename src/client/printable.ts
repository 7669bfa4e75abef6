/**
 * Text from elsewhere on a terminal: controls (C0, C1) and format characters, such as those that turn
 * the direction of writing, can hide, move and repaint what is shown, so each becomes U+FFFD.
 */
const OBEYED = /[^\P{Cc}\n\t]|\p{Cf}/gu;
const OBEYED_IN_LINE = /[\p{Cc}\p{Cf}]/gu;

/** `text` to be shown; line ends (CR LF as LF) and tabs stay. */
export function printableText(text: string): string {
  return text.replaceAll('\r\n', '\n').replaceAll(OBEYED, '\ufffd');
}

/** `text` to be shown within one line: a line end or tab is a space. */
export function printableLine(text: string): string {
  return text.replaceAll(/[\r\n\t]+/g, ' ').replaceAll(OBEYED_IN_LINE, '\ufffd');
}
