import { SealdeskError } from '../../base/index.ts';

/** Different things that the subscriptions of one key may make of its events: each is made for itself. */
const MAX_PLANS_OF_KEY = 16;

/** What each key has made of events, and by how many subscriptions. */
export class PlanPlaces {
  readonly #byKey = new Map<string, Map<object, number>>();

  /** Takes a place for one more subscription by `plan`. Returns what gives it back, to be called once. Throws TOO_MANY_REQUESTS. */
  take(keyId: string, plan: object): () => void {
    const counts = this.#byKey.get(keyId) ?? new Map<object, number>();
    const count = counts.get(plan) ?? 0;
    if (count === 0 && counts.size >= MAX_PLANS_OF_KEY) throw tooManyPlans();
    counts.set(plan, count + 1);
    this.#byKey.set(keyId, counts);
    return () => {
      const left = (counts.get(plan) ?? 0) - 1;
      if (left > 0) counts.set(plan, left);
      else counts.delete(plan);
      if (counts.size === 0) this.#byKey.delete(keyId);
    };
  }
}

function tooManyPlans(): SealdeskError {
  return new SealdeskError(
    'TOO_MANY_REQUESTS',
    `The subscriptions of a key may ask by ${MAX_PLANS_OF_KEY} different documents. Use the same for all.`,
    { subject: String(MAX_PLANS_OF_KEY), retryAfter: 1 },
  );
}
