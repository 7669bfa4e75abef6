/**
 * What a field costs beside the fields below it. References to people, organizations and tickets are
 * loaded a hundred at a time and cost as much as any field; what needs a Zendesk call for each object
 * costs so much that a hundred of them exceed the limit of a document, and ten of them fit.
 */
import { DEFAULT_SLICE, MAX_SLICE } from '../../src/service/index.ts';

/** One call of Zendesk's, which nothing merges with others. */
export const CALL_COST = 250;

interface SliceArguments {
  readonly first?: number | null | undefined;
}

/** People in copy: mostly none, seldom more. */
export const FEW = Object.freeze({ field: 1, multiplier: 3 });

/** A list: its size times what is asked of each object, and the call that reads it. */
export function listCost({ first }: SliceArguments) {
  // A size out of bounds is refused with its own text when the arguments are read.
  return {
    field: CALL_COST,
    multiplier: Math.min(Math.max(first ?? DEFAULT_SLICE, 1), MAX_SLICE),
  };
}
