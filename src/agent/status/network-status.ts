// How the host fares with each network, from what went wrong with what: what the master and the endpoint of the agent show.

import { messageOf } from '../../ipam/lease-error.ts';
import type { AgentStatus } from '../../overlay/registration-wire.ts';
import type { Failure } from '../kernel/apply.ts';

/** What is wrong, in words, by where it was found; nothing that concerns no network is in `ofNetworks`. */
export interface Trouble {
	/** All networks suffer. */
	readonly general: readonly string[];
	readonly ofNetworks: ReadonlyMap<string, readonly string[]>;
}

export interface NetworkStatus {
	readonly status: AgentStatus;
	readonly error?: string;
}

/** The most that the master takes. */
const LONGEST_ERROR = 1000;
/** Of one kind there can be thousands. */
const MOST_FAILURES = 3;

export const NO_TROUBLE: Trouble = { general: [], ofNetworks: new Map() };

/** Of something that could not be done at all. */
export function troubleOfError(error: unknown): Trouble {
	return { general: [messageOf(error)], ofNetworks: new Map() };
}

/** Of what could not be done for single networks, in words. */
export function troubleOfNetworks(problems: ReadonlyMap<string, string>): Trouble {
	return { general: [], ofNetworks: new Map(Array.from(problems, ([name, text]) => [name, [text]])) };
}

export function isTrouble({ general, ofNetworks }: Trouble): boolean {
	return general.length > 0 || ofNetworks.size > 0;
}

/** What failed in the kernel: of a bridge it is a matter of its network, all else is everybody's. */
export function troubleOfFailures(failures: readonly Failure[]): Trouble {
	const ofNetworks = new Map<string, string[]>();
	const general: string[] = [];
	for (const { action, error } of failures) {
		const network = action.do.endsWith('Bridge') && 'name' in action ? action.name.replace(/^m-/, '') : undefined;
		if (network === undefined) general.push(messageOf(error));
		else ofNetworks.set(network, [...(ofNetworks.get(network) ?? []), messageOf(error)]);
	}
	if (general.length <= MOST_FAILURES) return { general, ofNetworks };
	const more = general.length - MOST_FAILURES;
	return { general: [...general.slice(0, MOST_FAILURES), `and ${more} more`], ofNetworks };
}

/** Several troubles as one. */
export function joinTroubles(troubles: readonly Trouble[]): Trouble {
	const ofNetworks = new Map<string, readonly string[]>();
	for (const trouble of troubles) {
		for (const [network, texts] of trouble.ofNetworks) {
			ofNetworks.set(network, [...(ofNetworks.get(network) ?? []), ...texts]);
		}
	}
	return { general: troubles.flatMap(({ general }) => general), ofNetworks };
}

/** The status of each network of the host. A network is being configured until everything was tried once. */
export function statusOfNetworks(
	networks: readonly string[],
	{ general, ofNetworks }: Trouble,
	isTried: (network: string) => boolean,
): Map<string, NetworkStatus> {
	return new Map(
		networks.map((network): [string, NetworkStatus] => {
			const texts = [...general, ...(ofNetworks.get(network) ?? [])];
			if (texts.length > 0) {
				return [network, { status: 'STATUS_FAILED', error: texts.join('; ').slice(0, LONGEST_ERROR) }];
			}
			return [network, { status: isTried(network) ? 'STATUS_OK' : 'STATUS_CONFIGURING' }];
		}),
	);
}
