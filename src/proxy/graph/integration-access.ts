/**
 * What one caller may do on one integration, decided once for each operation of the catalogue and
 * session, before anything is fetched. The integration is read in one short transaction.
 */
import { isId, SealdeskError } from '../../base/index.ts';
import type { Tx } from '../../store/index.ts';
import { type OpenableCredential, readOpenableCredential } from '../../vault/index.ts';
import type { ZendeskClient } from '../../zendesk/index.ts';
import {
  type Asker,
  assertPermitted,
  assertStoredPermitted,
  credentialOf,
  isPermitted,
  isWithinReach,
  noSuchIntegration,
} from '../admission.ts';
import { OPERATION_NAMES, type OperationName } from '../catalogue/catalogue.ts';
import { assertNotExpired, type ConnectionTarget } from '../connections.ts';
import { findIntegration, type Integration } from '../integrations.ts';
import { assertStillPermitted } from '../still-permitted.ts';
import { OperationUse } from './operation-use.ts';
import type { SessionContext } from './session-context.ts';
import type { SharingGroup } from './shared-reads.ts';

interface FoundIntegration {
  readonly integration: Integration;
  /** `null` where the integration has none. */
  readonly read: OpenableCredential | null;
}

/** The integration as the session works on it. */
export interface OpenIntegration {
  readonly target: ConnectionTarget;
  readonly group: SharingGroup;
  /** For calls that are made in the session's name. */
  readonly client: ZendeskClient;
}

export class IntegrationAccess {
  readonly integrationId: string;
  readonly #context: SessionContext;
  readonly #uses = new Map<OperationName, OperationUse>();
  readonly #admissions = new Map<OperationName, Promise<OpenIntegration>>();
  readonly #admitted = new Set<OperationName>();
  /** Admissions to what is stored here. */
  readonly #stored = new Map<OperationName, Promise<Integration>>();
  /** Rights by which answers show more. */
  readonly #reliedOn = new Set<string>();
  #finding: Promise<FoundIntegration | null> | null = null;
  #integration: Integration | null = null;
  #open: OpenIntegration | null = null;

  constructor(context: SessionContext, integrationId: string) {
    this.#context = context;
    this.integrationId = integrationId;
  }

  get #asker(): Asker {
    const { call, restricted } = this.#context;
    return { caller: call.caller, restriction: restricted?.restriction ?? null };
  }

  /** What was used, for the log; at most one for each operation of the catalogue. */
  get uses(): readonly OperationUse[] {
    return [...this.#uses.values()];
  }

  /** Whether the caller may run `operation`, so that answers show more; only after an admission. */
  isPermitted(operation: string): boolean {
    if (this.#integration === null) return false;
    const permitted = isPermitted(this.#integration, this.#asker, operation);
    if (permitted) this.#reliedOn.add(operation);
    return permitted;
  }

  /**
   * That what was read may still be read, and shown as fully as it was; nothing is asked where nothing was
   * read. Rejects as {@link admit} does.
   */
  async assertStillAllowed(tx: Tx): Promise<void> {
    const read = this.uses.filter(({ hasRead }) => hasRead).map(({ operation }) => operation);
    if (read.length === 0) return;
    const { integrationId } = this;
    const stored = read.filter((operation) => this.#stored.has(operation));
    const called = read.filter((operation) => !this.#stored.has(operation));
    const operations = called.length === 0 ? [] : [...new Set([...called, ...this.#reliedOn])];
    await assertStillPermitted(tx, this.#asker, { integrationId, operations, stored });
  }

  /** The integration itself, whatever the caller may do on it; `null` where the tenant has none of this id. */
  async integration(): Promise<Integration | null> {
    return (await this.#find())?.integration ?? null;
  }

  /** Whether `operation` has been admitted in this session. */
  isAdmitted(operation: OperationName): boolean {
    return this.#admitted.has(operation);
  }

  /** Rejects with SEALED_RESPONSE_REQUIRED or NOT_FOUND where the integration cannot be looked at all. */
  async assertReachable(): Promise<void> {
    this.#assertDelivery();
    if ((await this.#find()) === null) throw noSuchIntegration();
  }

  useOf(operation: OperationName): OperationUse {
    const { call, deps } = this.#context;
    const use =
      this.#uses.get(operation) ?? new OperationUse(call, this.integrationId, operation, deps.clock);
    this.#uses.set(operation, use);
    return use;
  }

  /** Admits `operation`, or rejects as it did before. */
  admit(operation: OperationName): Promise<OpenIntegration> {
    const admission = this.#admissions.get(operation) ?? this.#decide(operation);
    this.#admissions.set(operation, admission);
    return admission;
  }

  /** Admits `operation` on what is stored here of the account, for which no credential is needed; rejects as {@link admit} does. */
  admitStored(operation: OperationName): Promise<Integration> {
    const admission = this.#stored.get(operation) ?? this.#decideStored(operation);
    this.#stored.set(operation, admission);
    return admission;
  }

  async #decideStored(operation: OperationName): Promise<Integration> {
    try {
      this.#assertDelivery();
      const integration = (await this.#find())?.integration ?? null;
      assertStoredPermitted(integration, this.#asker, operation);
      this.#context.countOperation();
      return integration;
    } catch (error) {
      throw this.useOf(operation).fail(error);
    }
  }

  async #decide(operation: OperationName): Promise<OpenIntegration> {
    const { deps, countOperation } = this.#context;
    try {
      this.#assertDelivery();
      const found = await this.#find();
      const integration = found?.integration ?? null;
      assertPermitted(integration, this.#asker, operation);
      const credentialId = credentialOf(integration);
      const expiresAt = found?.read?.credential.expiresAt ?? null;
      if (expiresAt !== null) assertNotExpired(expiresAt.getTime(), deps.clock.now());
      countOperation();
      this.#integration = integration;
      this.#open ??= this.#connect(integration, credentialId, found?.read ?? null);
      this.#admitted.add(operation);
      return this.#open;
    } catch (error) {
      throw this.useOf(operation).fail(error);
    }
  }

  #assertDelivery(): void {
    if (this.#context.delivery.kind !== 'NONE') return;
    throw new SealdeskError(
      'SEALED_RESPONSE_REQUIRED',
      'What Zendesk holds leaves sealed only. Send Accept: application/vnd.sealdesk.envelope+json and have an ACTIVE client key, as sealedFetch of the client does.',
    );
  }

  #find(): Promise<FoundIntegration | null> {
    this.#finding ??= this.#readIntegration();
    return this.#finding;
  }

  async #readIntegration(): Promise<FoundIntegration | null> {
    const { deps, call } = this.#context;
    const { tenantId } = call.caller;
    if (!isId('integration', this.integrationId)) return null;
    return deps.store.withTenant(tenantId, async (tx) => {
      const integration = await findIntegration(tx, tenantId, this.integrationId);
      if (integration === null || !isWithinReach(integration, this.#asker)) return null;
      const { credentialId } = integration;
      if (credentialId === null) return { integration, read: null };
      return { integration, read: await readOpenableCredential(tx, { tenantId, credentialId }) };
    });
  }

  #connect(integration: Integration, credentialId: string, read: OpenableCredential | null): OpenIntegration {
    const { deps } = this.#context;
    const { tenantId, subdomain, id } = integration;
    const target = { tenantId, subdomain, credentialId };
    const credentialVersion = read?.credential.version ?? 0;
    const rights = OPERATION_NAMES.filter((name) => isPermitted(integration, this.#asker, name));
    return Object.freeze({
      target,
      group: { ...target, integrationId: id, credentialVersion, rights: rights.toSorted() },
      client: deps.connections.clientFor(target, read ?? undefined),
    });
  }
}
