// What the routes work with.

import type { UsedSubnet } from '../overlay/configuration-rules.ts';
import type { Feed } from './feed.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { ObservedStore } from './observed-store.ts';
import type { Presence } from './presence.ts';
import type { Registry } from './registry.ts';
import type { StatePage } from './state-page.ts';

export interface Services {
	readonly registry: Registry;
	readonly store: ObservedStore;
	readonly presence: Presence;
	readonly feed: Feed;
	readonly metrics: Metrics;
	readonly log: Log;
	readonly statePage: () => StatePage;
	/** The networks that this host is in, as far as they are to be considered. */
	readonly hostNetworks: () => readonly UsedSubnet[];
	/** A name for a file beside the state, which is not there yet. */
	readonly backupPath: () => string;
	/** Milliseconds since the epoch. */
	readonly now: () => number;
	/** How long what was freed is not given again: milliseconds. */
	readonly quarantine: number;
}
