/**
 * What is made of an event: executed and written once for all who subscribed with the same document, however
 * many they are. It hangs on the event, the document and the variables that stand in the selection, on nothing
 * of the subscriber.
 */
import {
  type DocumentNode,
  type ExecutionResult,
  executeSubscriptionEvent,
  Kind,
  type ValidatedSubscriptionArgs,
  visit,
} from 'graphql';
import type { KeptText, KeptTexts } from './kept-texts.ts';

/** An execution result that holds errors, told instead of it. */
export type TellErrors = (errors: NonNullable<ExecutionResult['errors']>) => Error;

export class EventPlan {
  /** What is kept of them is held as long as the event is. */
  readonly #known = new WeakMap<object, KeptText>();
  readonly #args: ValidatedSubscriptionArgs;
  readonly #texts: KeptTexts;
  readonly #tellErrors: TellErrors;

  /** `args` are those of any one of the subscribers; `texts` those of all plans. */
  constructor(args: ValidatedSubscriptionArgs, texts: KeptTexts, tellErrors: TellErrors) {
    this.#args = { ...args, contextValue: Object.freeze({}) };
    this.#texts = texts;
    this.#tellErrors = tellErrors;
  }

  /** The result of `event` as JSON, at once where its fields are resolved at once. Throws what `tellErrors` makes of errors. */
  textOf(event: object): string | Promise<string> {
    const known = this.#known.get(event)?.text ?? null;
    if (known !== null) return known;
    const result = executeSubscriptionEvent({ ...this.#args, rootValue: event });
    return result instanceof Promise
      ? result.then((resolved) => this.#keep(event, resolved))
      : this.#keep(event, result);
  }

  #keep(event: object, { data, errors }: ExecutionResult): string {
    if (errors !== undefined) throw this.#tellErrors(errors);
    const text = JSON.stringify({ data });
    this.#known.set(event, this.#texts.keep(text));
    return text;
  }
}

/** Names for the values in `args` of the variables `names`; one that has none is another than `null`. */
export function variablesKey(names: readonly string[], args: ValidatedSubscriptionArgs): string {
  const { coerced } = args.variableValues;
  return JSON.stringify(names.map((name) => (Object.hasOwn(coerced, name) ? [coerced[name]] : [])));
}

/**
 * The names of the variables that what is made of an event hangs on: all but those in the arguments of a field
 * of `rootFields`, which tell its source what to send.
 */
export function selectionVariables(
  document: DocumentNode,
  rootFields: ReadonlySet<string>,
): readonly string[] {
  const names = new Set<string>();
  visit(document, {
    VariableDefinition: () => false,
    Argument(_node, _key, _parent, _path, ancestors) {
      const holder = ancestors.at(-1);
      if (holder === undefined || !('kind' in holder) || holder.kind !== Kind.FIELD) return undefined;
      return rootFields.has(holder.name.value) ? false : undefined;
    },
    Variable({ name }) {
      names.add(name.value);
    },
  });
  return [...names].toSorted();
}
