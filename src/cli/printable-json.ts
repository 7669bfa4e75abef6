/**
 * `value` as JSON that is safe to show, indented by `indent`; in one line where that is 0. JSON escapes controls up to U+001F itself. The others, and
 * format characters such as those that turn the direction of writing, are escaped here, so that what is
 * printed is still the same JSON.
 */
export function printableJson(value: unknown, indent = 2): string {
  return JSON.stringify(value, null, indent).replaceAll(/[\u007f-\u009f]|\p{Cf}/gu, (character) =>
    Array.from({ length: character.length }, (_, index) => escapeUnit(character.charCodeAt(index))).join(''),
  );
}

function escapeUnit(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`;
}
