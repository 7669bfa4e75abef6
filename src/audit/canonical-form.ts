/**
 * What a member of an audit event may hold, judged and written as RFC 8785 text in one pass. Every call of the gateway
 * leaves an event, and a general schema with a general encoder behind it was half of what an append costs here.
 *
 * All texts are of closed alphabets that JSON writes as they are, all numbers are safe integers, all names are ASCII:
 * then RFC 8785 asks for sorted names and for nothing else.
 */

/** The values of one form. */
export interface Form<Value> {
  /** The canonical text of `value`, or `null` where it is not of this form. */
  readonly textOf: (value: unknown) => string | null;
  /** Never there: it carries the type. */
  readonly value?: Value;
}

/** An object of certain members and no others. */
export interface ObjectForm<Value> extends Form<Value> {
  /** The members at fault, and `unrecognized_keys` where there are others; names of the form's only. */
  readonly faultsOf: (value: object) => readonly string[];
}

export type ValueOf<Held> = Held extends Form<infer Value> ? Value : never;

/** A member that may be missing or `undefined`. */
interface Optional<Value> {
  readonly optional: Form<Value>;
}

type Members = Readonly<Record<string, Form<unknown> | Optional<unknown>>>;
type OptionalName<Shape> = {
  [Name in keyof Shape]: Shape[Name] extends Optional<unknown> ? Name : never;
}[keyof Shape];
type ObjectOf<Shape> = {
  readonly [Name in Exclude<keyof Shape, OptionalName<Shape>>]: ValueOf<Shape[Name]>;
} & {
  readonly [Name in OptionalName<Shape>]?: Shape[Name] extends Optional<infer Value>
    ? Value | undefined
    : never;
};
/** One object type in place of an intersection. */
type Flat<Value> = { [Name in keyof Value]: Value[Name] };

export function optional<Value>(form: Form<Value>): Optional<Value> {
  return { optional: form };
}

/** Texts that pass `test`, which lets no character pass that JSON escapes, and none beyond ASCII. */
export function text(test: (text: string) => boolean): Form<string> {
  // Events in a row tell of the same caller, integration and operation.
  let last: string | null = null;
  let lastText = '';
  return {
    textOf(value) {
      if (typeof value !== 'string') return null;
      if (value === last) return lastText;
      if (!test(value)) return null;
      last = value;
      lastText = `"${value}"`;
      return lastText;
    },
  };
}

export function textLike(pattern: RegExp): Form<string> {
  return text((held) => pattern.test(held));
}

/** Safe integers from `min` to `max`. */
export function integer(min: number, max: number = Number.MAX_SAFE_INTEGER): Form<number> {
  return {
    textOf: (value) =>
      Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max
        ? String(value)
        : null,
  };
}

export function oneOf<const Value extends string>(...values: readonly Value[]): Form<Value> {
  const texts = new Map<unknown, string>(values.map((value) => [value, `"${value}"`]));
  return { textOf: (value) => texts.get(value) ?? null };
}

export function list<Value>(
  { textOf }: Form<Value>,
  { min = 0, max = Number.MAX_SAFE_INTEGER }: { readonly min?: number; readonly max?: number } = {},
): Form<readonly Value[]> {
  return {
    textOf(value) {
      if (!Array.isArray(value) || value.length < min || value.length > max) return null;
      const texts: string[] = [];
      for (const one of value) {
        const held = textOf(one);
        if (held === null) return null;
        texts.push(held);
      }
      return `[${texts.join(',')}]`;
    },
  };
}

export function object<const Shape extends Members>(shape: Shape): ObjectForm<Flat<ObjectOf<Shape>>> {
  const members = Object.keys(shape)
    .sort()
    .map((name) => {
      const held = shape[name] as Members[string];
      const isOptional = 'optional' in held;
      return { name, label: `,"${name}":`, isOptional, ...(isOptional ? held.optional : held) };
    });
  const names = new Set(members.map(({ name }) => name));
  return {
    textOf(value) {
      if (typeof value !== 'object' || value === null || !isPlain(value)) return null;
      let written = '';
      let known = 0;
      for (const { name, label, isOptional, textOf } of members) {
        const isThere = Object.hasOwn(value, name);
        if (isThere) known += 1;
        const held = isThere ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
        if (held === undefined && isOptional) continue;
        const own = textOf(held);
        if (own === null) return null;
        written += label + own;
      }
      return known === Object.getOwnPropertyNames(value).length ? `{${written.slice(1)}}` : null;
    },
    faultsOf(value) {
      const isKnown = Object.keys(value).every((name) => names.has(name));
      const faults = members.filter(({ name, isOptional, textOf }) => {
        const held = ownMember(value, name);
        return !(held === undefined && isOptional) && textOf(held) === null;
      });
      return [...faults.map(({ name }) => name), ...(isKnown ? [] : ['unrecognized_keys'])];
    },
  };
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function ownMember(value: object, name: string): unknown {
  return Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
}

/** Objects that are told apart by their member `tag`: each of `forms` under its value of it. */
export function variants<Forms extends Readonly<Record<string, ObjectForm<unknown>>>>(
  tag: string,
  forms: Forms,
): ObjectForm<ValueOf<Forms[keyof Forms]>> {
  const byTag = new Map<unknown, ObjectForm<unknown>>(Object.entries(forms));
  const formOf = (value: object) => byTag.get(ownMember(value, tag));
  return {
    textOf: (value) =>
      typeof value === 'object' && value !== null ? (formOf(value)?.textOf(value) ?? null) : null,
    faultsOf: (value) => formOf(value)?.faultsOf(value) ?? [tag],
  };
}
