/** Elements from values. Text is only ever text, so nothing that Zendesk holds becomes markup. */

export type Child = Node | string | null;

/** A new element with `properties` set, `data-` and `aria-` ones as attributes, and `children` in it. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Readonly<Record<string, unknown>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (/^(?:data|aria)-|^(?:role|scope|for)$/.test(name)) made.setAttribute(name, String(value));
    else Reflect.set(made, name, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** The element of the page with this id. */
export function part(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new TypeError(`The page has no element "${id}"`);
  return found;
}
