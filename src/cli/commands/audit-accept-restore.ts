import { openAnchor } from '../../audit/index.ts';
import { readConfig } from '../../config.ts';
import { acceptRestore } from '../../service/index.ts';
import { anchorLocationOf } from '../anchor-location.ts';
import { defineCommand } from '../command.ts';
import { openCommandBackend } from '../command-backend.ts';
import { UsageError } from '../command-error.ts';

export const command = defineCommand({
  positionals: ['TENANT'],
  options: {
    reason: {
      type: 'string',
      value: 'TOKEN',
      help: 'why, for the log: lower-case letters, digits and dashes, such as backup-restored',
    },
    json: { type: 'boolean', help: 'print JSON' },
  },
  description: `
Goes on with an audit log that was found altered, as it is after the restore of a backup. Opens the
database of the environment itself, looks at the whole log, and begins a new epoch over the entries that
are there: its first one names the epoch before with its size and root, so that what was lost stays
provable. Entries that do not hold are moved out and a marker takes their place. Old checkpoints stay as
they are; an auditor will see that the log does not continue them. Restore what you can first: this
cannot be taken back. Refused where nothing is wrong.`,
  async run({ values, positionals: [tenantId = ''] }, { house, terminal }) {
    const { reason } = values;
    if (reason === undefined) {
      throw new UsageError('--reason is missing. See sealdesk audit accept-restore --help.');
    }
    await using anchor = await openAnchor(anchorLocationOf(readConfig()));
    await using backend = await openCommandBackend(
      house,
      () => 'Stop it first: a log is accepted beside the database only.',
    );
    const { epoch, size, lost, previous } = await acceptRestore(backend.deps, anchor, { tenantId, reason });
    const accepted = {
      ...{ tenantId, epoch, size, lost },
      previous: { ...previous, root: Buffer.from(previous.root).toString('base64') },
    };
    if (values.json) terminal.print(JSON.stringify(accepted));
    else {
      terminal.print(`Epoch     ${epoch}, ${size} entries, of which ${lost} stand for lost ones`);
      terminal.print(
        `Previous  epoch ${previous.epoch}, ${previous.size} entries, root ${accepted.previous.root}`,
      );
    }
    return 0;
  },
});
