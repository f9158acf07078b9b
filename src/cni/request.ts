// What one call of the plugin asks for, after everything in it was checked.

import type { NetworkConfiguration } from './network-configuration.ts';

/** VERSION is answered before there is a request. */
export type Command = 'ADD' | 'DEL' | 'CHECK' | 'GC' | 'STATUS';

/** One interface of one container: what an ADD makes and a DEL removes. */
export interface Attachment {
	readonly containerId: string;
	readonly ifname: string;
}

/** GC and STATUS are about no attachment: their `containerId`, `ifname` and `netns` are empty. */
export interface Request extends Attachment {
	readonly command: Command;
	/** The path of the container's network namespace, empty when the caller names none (a DEL after a reboot). */
	readonly netns: string;
	/** The directories of CNI_PATH. */
	readonly path: readonly string[];
	/** The pairs of CNI_ARGS. */
	readonly cniArguments: ReadonlyMap<string, string>;
	/** The environment as it came, for a delegate. */
	readonly environment: Readonly<Record<string, string | undefined>>;
	readonly configuration: NetworkConfiguration;
	/** The `performance.now()` (milliseconds) by which everything must be over. */
	readonly deadline: number;
}

/** How messages name an attachment. */
export function describe({ containerId, ifname }: Attachment): string {
	return `container "${containerId}" (interface "${ifname}")`;
}
