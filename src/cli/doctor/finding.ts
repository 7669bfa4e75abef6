/** What the doctor found about one thing. */
export interface Finding {
  /** `note`: neither good nor bad, but worth knowing. */
  readonly verdict: 'ok' | 'note' | 'wrong';
  readonly text: string;
}

export const ok = (text: string): Finding => ({ verdict: 'ok', text });
export const note = (text: string): Finding => ({ verdict: 'note', text });
export const wrong = (text: string): Finding => ({ verdict: 'wrong', text });
