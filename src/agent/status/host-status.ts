// Collects what is wrong with the host by where it was found, and tells what it means for each network.

import type { Log } from '../log.ts';
import { joinTroubles, type NetworkStatus, statusOfNetworks, type Trouble, troubleOfError } from './network-status.ts';
import { newsOfStatuses } from './status-news.ts';

/** Where trouble is found. */
export type Place = 'kernel' | 'removal' | 'rules' | 'files' | 'docker';

export interface HostStatus {
	/** What is wrong there now. */
	set(place: Place, trouble: Trouble): void;
	/** Does some work, and notes what is wrong then. */
	attempt(place: Place, work: () => Trouble | Promise<Trouble>): Promise<void>;
	/** These networks have been seen to there: as far as nothing is wrong, they work. */
	tried(place: Place, networks: readonly string[]): void;
	statuses(): Map<string, NetworkStatus>;
	/** What is wrong with all networks. */
	problems(): readonly string[];
}

export interface StatusOptions {
	/** The networks of which the host has a part. */
	readonly networks: () => readonly string[];
	/** Where a network has to be tried before it works. */
	readonly needed: readonly Place[];
	readonly log: Log;
	/** Called when a status has changed. */
	readonly onStatus: () => void;
}

export function createHostStatus({ networks, needed, log, onStatus }: StatusOptions): HostStatus {
	const troubles = new Map<Place, Trouble>();
	const triedAt = new Map<Place, ReadonlySet<string>>();
	let told: ReadonlyMap<string, NetworkStatus> = new Map();

	function joined(): Trouble {
		return joinTroubles([...troubles.values()]);
	}

	function statuses(): Map<string, NetworkStatus> {
		const isTried = (name: string): boolean => needed.every((place) => triedAt.get(place)?.has(name));
		return statusOfNetworks(networks(), joined(), isTried);
	}

	function tell(): void {
		const now = statuses();
		const news = newsOfStatuses(told, now);
		if (news === undefined) return;
		told = now;
		for (const { level, event, details } of news) log(level, event, details);
		onStatus();
	}

	function set(place: Place, trouble: Trouble): void {
		troubles.set(place, trouble);
		tell();
	}

	return {
		set,
		attempt: async (place, work) => {
			try {
				set(place, await work());
			} catch (error) {
				set(place, troubleOfError(error));
			}
		},
		tried: (place, names) => {
			triedAt.set(place, new Set(names));
			tell();
		},
		statuses,
		problems: () => joined().general,
	};
}
