import type { Config } from '../config.ts';
import type { KeptConnections, ServiceDeps, Services } from '../service/index.ts';

/** Database, keys and use cases, without a listening edge. */
export interface Backend extends AsyncDisposable {
  readonly deps: ServiceDeps;
  readonly services: Services;
  /** The same as those of `deps`, with what keeps them up. */
  readonly connections: KeptConnections;
}

/** The listening edge. */
export interface Gateway extends AsyncDisposable {
  readonly port: number;
}

/** How commands open what they need; given by the program, which alone knows every room. */
export interface House {
  readonly openBackend: (config: Config) => Promise<Backend>;
  readonly openGateway: (config: Config, backend: Backend) => Promise<Gateway>;
}
