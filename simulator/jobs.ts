/**
 * Background jobs as callers see them. The work itself is done before the call is answered; the answer says
 * `queued` all the same, as Zendesk's does, and the job is found `completed` from then on.
 */
import { type Call, textParam } from './call.ts';
import type { JobStatus } from './job-statuses.ts';
import { json, type Reply, recordNotFound } from './reply.ts';
import { isRecord } from './validation.ts';

const jobView = (job: JobStatus, origin: string, done: boolean): object => ({
  job_status: {
    id: job.id,
    job_type: job.jobType,
    url: `${origin}/api/v2/job_statuses/${job.id}.json`,
    total: job.total,
    progress: done ? job.total : null,
    status: done ? 'completed' : 'queued',
    message: done ? `Completed at ${job.total} of ${job.total}` : null,
    results: done ? job.results : null,
  },
});

/** The answer to the call that began a job. */
export const jobQueued = (call: Call, jobType: string, total: number, results: unknown): Reply =>
  json(200, jobView(call.world.jobs.add(jobType, total, results), call.origin, false));

export const showJobStatus = (call: Call): Reply => {
  const job = call.world.jobs.get(textParam(call));
  if (!job) throw recordNotFound();
  return json(200, jobView(job, call.origin, true));
};

/** A refused item as a job tells of it; `error` stands for what has no name of its own. */
export const failedItem = ({ status, body }: Reply, error: string): { error: string; details: string } => {
  const value = body.kind === 'json' && isRecord(body.value) ? body.value : {};
  const { details, description } = value;
  const errors = isRecord(details) ? Object.values(details).flat() : [];
  const texts = errors.filter(isRecord).map((known) => String(known['description']));
  return {
    error: status === 409 ? 'UpdateConflict' : error,
    details: texts.length > 0 ? texts.join(', ') : String(description ?? ''),
  };
};
