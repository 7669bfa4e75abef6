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
import { SealdeskError } from '../../base/index.ts';
import { encodeJsonWithin } from '../graphql/result-text.ts';

/** Most bytes of what is sent of one event: the largest ticket fits, by an alias several times. */
const MAX_EVENT_BYTES = 1_048_576;

/** An execution result that holds errors, told instead of it. */
export type TellErrors = (errors: NonNullable<ExecutionResult['errors']>) => Error;

export class EventPlan {
  /** Texts are held as long as the event is. */
  readonly #texts = new WeakMap<object, string | Promise<string>>();
  readonly #args: ValidatedSubscriptionArgs;
  readonly #tellErrors: TellErrors;

  /** `args` are those of any one of the subscribers. */
  constructor(args: ValidatedSubscriptionArgs, tellErrors: TellErrors) {
    this.#args = { ...args, contextValue: Object.freeze({}) };
    this.#tellErrors = tellErrors;
  }

  /** The result of `event` as JSON. Throws, or rejects, with what `tellErrors` makes of errors, and with PAYLOAD_TOO_LARGE. */
  textOf(event: object): string | Promise<string> {
    const known = this.#texts.get(event);
    if (known !== undefined) return known;
    const result = executeSubscriptionEvent({ ...this.#args, rootValue: event });
    const text = result instanceof Promise ? result.then((done) => this.#write(done)) : this.#write(result);
    this.#texts.set(event, text);
    return text;
  }

  #write({ data, errors }: ExecutionResult): string {
    if (errors !== undefined) throw this.#tellErrors(errors);
    const text = encodeJsonWithin({ data }, MAX_EVENT_BYTES);
    if (text !== null) return text;
    throw new SealdeskError(
      'PAYLOAD_TOO_LARGE',
      `An event would be larger than ${MAX_EVENT_BYTES} bytes. Select its envelope once.`,
      { subject: String(MAX_EVENT_BYTES) },
    );
  }
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
