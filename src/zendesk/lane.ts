/**
 * How urgent a call is to the budget of its account. INTERACTIVE: somebody waits for the answer.
 * MUTATION: a change. BACKGROUND: a job that may take as long as it takes; it is paced and leaves a reserve.
 */
export const LANES = Object.freeze(['INTERACTIVE', 'MUTATION', 'BACKGROUND'] as const);

export type Lane = (typeof LANES)[number];
