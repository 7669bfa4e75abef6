/**
 * What the demo remembers: `demo.json`, complete, for scripts; and while a first start is under way
 * `demo.json.draft`, so that a start that was cut short goes on where it ended, since API keys are
 * shown only once. Both hold API keys and are readable by their owner alone.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { isId } from '../../base/index.ts';
import { readPrivateFileIfPresent, replacePrivateFile } from '../private-file.ts';

const MAX_RECORD_BYTES = 16 * 1024;
const apiKey = z.string().max(256);

const ApiKeys = z.object({
  operator: apiKey,
  admin: apiKey,
  agent: apiKey,
  dashboard: apiKey,
  auditor: apiKey,
});

const Known = z.object({
  tenantId: z
    .string()
    .refine((id) => isId('tenant', id))
    .optional(),
  integrationId: z
    .string()
    .refine((id) => isId('integration', id))
    .optional(),
  apiKeys: ApiKeys.partial().default({}),
});

/** What is known so far. */
export type DemoRecord = z.infer<typeof Known>;
export type DemoApiKeys = z.infer<typeof ApiKeys>;

/** The whole of it. */
export interface DemoFile {
  readonly url: string;
  readonly simulatorUrl: string;
  readonly tenantId: string;
  readonly integrationId: string;
  readonly apiKeys: DemoApiKeys;
  readonly clientKeyFile: string;
}

export function demoFilePath(folder: string): string {
  return join(folder, 'demo.json');
}

/** What an earlier start left in `folder`; nothing where it left nothing that can be read. */
export async function readDemoRecord(folder: string): Promise<DemoRecord> {
  const path = demoFilePath(folder);
  return (await readRecord(`${path}.draft`)) ?? (await readRecord(path)) ?? { apiKeys: {} };
}

async function readRecord(path: string): Promise<DemoRecord | null> {
  const text = await readPrivateFileIfPresent(path, MAX_RECORD_BYTES);
  if (text === null) return null;
  try {
    return Known.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

/** Keeps what is known so far. */
export async function keepDemoDraft(folder: string, record: DemoRecord): Promise<void> {
  await replacePrivateFile(`${demoFilePath(folder)}.draft`, encode(record));
}

/** Writes `demo.json`; the draft has done its work. */
export async function writeDemoFile(folder: string, file: DemoFile): Promise<void> {
  const path = demoFilePath(folder);
  await replacePrivateFile(path, encode(file));
  await rm(`${path}.draft`, { force: true });
}

function encode(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
