/** The account's background jobs and what came of them. */
import { randomBytes } from 'node:crypto';

const MAX_JOBS = 1000;

export interface JobStatus {
  readonly id: string;
  readonly jobType: string;
  readonly total: number;
  readonly results: unknown;
}

/** The newest jobs of the account; older ones are forgotten. */
export class JobStatuses {
  readonly #jobs = new Map<string, JobStatus>();

  add(jobType: string, total: number, results: unknown): JobStatus {
    const job: JobStatus = { id: `V3-${randomBytes(16).toString('hex')}`, jobType, total, results };
    const oldest = this.#jobs.size >= MAX_JOBS ? this.#jobs.keys().next().value : undefined;
    if (oldest !== undefined) this.#jobs.delete(oldest);
    this.#jobs.set(job.id, job);
    return job;
  }

  get(id: string): JobStatus | null {
    return this.#jobs.get(id) ?? null;
  }
}
