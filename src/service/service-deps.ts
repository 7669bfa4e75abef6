import type { InboundLimiter } from '../access/index.ts';
import type { Clock, Log } from '../base/index.ts';
import type { Kms } from '../kms/index.ts';
import type { SharedReads, ZendeskAuthorizer, ZendeskConnections } from '../proxy/index.ts';
import type { Store } from '../store/index.ts';
import type { Keyring } from '../vault/index.ts';
import type { OAuthClientIdentity } from '../zendesk/index.ts';
import type { FeedRuntime } from './feed/feed-runtime.ts';
import type { PlanRuns } from './provisioning/plan-runs.ts';

/** What the use cases stand on. */
export interface ServiceDeps {
  readonly store: Store;
  readonly kms: Kms;
  readonly keyring: Keyring;
  readonly connections: ZendeskConnections;
  readonly sharedReads: SharedReads;
  readonly limiter: InboundLimiter;
  readonly feed: FeedRuntime;
  readonly planRuns: PlanRuns;
  readonly clock: Clock;
  readonly log: Log;
  /** How clients reach the gateway, without a slash at the end. */
  readonly publicUrl: string;
  /** What connects accounts by OAuth. */
  readonly connecting: {
    readonly authorizer: ZendeskAuthorizer;
    /** The OAuth client of the installation, `null` where it has none. */
    readonly client: OAuthClientIdentity | null;
    /** Origins beside the gateway's own that the page at the end may link to. */
    readonly returnOrigins: readonly string[];
  };
}
