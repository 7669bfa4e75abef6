/**
 * How attempts to renew a token ended. RENEWED: stored. REFUSED: Zendesk does not accept the grant. UNUSED: it was
 * not carried out. UNCLEAR: nobody knows. NOT_STORED: a token was given out and is not in the vault.
 */
export type RenewalOutcome = 'RENEWED' | 'REFUSED' | 'UNUSED' | 'UNCLEAR' | 'NOT_STORED';
export type NoteRenewal = (outcome: RenewalOutcome) => void;

/** Attempts of this process since it began, by how they ended. */
export type RenewalTally = Readonly<Record<RenewalOutcome, number>>;

export function createRenewalTally(): { readonly counts: RenewalTally; readonly note: NoteRenewal } {
  const counts = { RENEWED: 0, REFUSED: 0, UNUSED: 0, UNCLEAR: 0, NOT_STORED: 0 };
  return Object.freeze({
    counts,
    note: (outcome: RenewalOutcome) => {
      counts[outcome] += 1;
    },
  });
}
