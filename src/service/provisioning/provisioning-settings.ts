/** What an integration allows its plans: who may not be locked out, and how many people change at once. For ADMIN. */
import { z } from 'zod';
import { isId } from '../../base/index.ts';
import {
  MAX_BREAK_GLASS,
  MOST_CHANGES,
  type ProvisioningSettings,
  readProvisioningSettings,
  saveProvisioningSettings,
} from '../../provisioning/index.ts';
import { type Call, holdIntegration } from '../../proxy/index.ts';
import { audited, notFound } from '../audited.ts';
import { idField, parseInput } from '../input.ts';
import { readOwn } from '../read.ts';
import type { ServiceDeps } from '../service-deps.ts';
import { objectIdField } from '../zendesk/input-fields.ts';
import { assertUnrestricted, PLANNERS } from './plan-rights.ts';

export interface ProvisioningSettingsView extends ProvisioningSettings {
  readonly integrationId: string;
}

const Integration = z.looseObject({ integrationId: idField('integration') });
const settingsInput = (integrationId: string) =>
  z.strictObject({
    integrationId: idField('integration'),
    breakGlassUserIds: z
      .array(objectIdField('user', integrationId))
      .max(MAX_BREAK_GLASS, `must be at most ${MAX_BREAK_GLASS} people`)
      .nullish(),
    maxChanges: z
      .int()
      .min(1, 'must be at least 1')
      .max(MOST_CHANGES, `must be at most ${MOST_CHANGES}`)
      .nullish(),
  });

/** Sets what is given and leaves the rest. Rejects with OPERATION_NOT_ALLOWED for a client key that is restricted. */
export function setProvisioningSettings(
  deps: ServiceDeps,
  call: Call,
  input: unknown,
): Promise<ProvisioningSettingsView> {
  return audited(deps, call, { action: 'provisioning.set', roles: PLANNERS }, async (step, caller) => {
    const { integrationId } = parseInput(Integration, input);
    const { breakGlassUserIds, maxChanges } = parseInput(settingsInput(integrationId), input);
    const settings = await step.commit(
      async (tx) => {
        const { tenantId } = step;
        await assertUnrestricted(tx, caller, deps.clock.now());
        if ((await holdIntegration(tx, tenantId, integrationId)) === null) throw notFound('integration');
        return saveProvisioningSettings(tx, {
          ...{ tenantId, integrationId, now: new Date(deps.clock.now()) },
          ...(breakGlassUserIds == null ? {} : { breakGlassUserIds }),
          ...(maxChanges == null ? {} : { maxChanges }),
        });
      },
      () => ({ resource: integrationId, integrationId }),
    );
    return { integrationId, ...settings };
  });
}

/** The defaults where nobody has set any. */
export function getProvisioningSettings(
  deps: ServiceDeps,
  call: Call,
  integrationId: string,
): Promise<ProvisioningSettingsView> {
  return readOwn(deps, call, PLANNERS, async (tx, tenantId) => {
    if (!isId('integration', integrationId)) throw notFound('integration');
    return { integrationId, ...(await readProvisioningSettings(tx, tenantId, integrationId)) };
  });
}
