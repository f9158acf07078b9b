// The stores that a command about leases is about, and what they hold.

import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { isIdentifier } from '../cni/environment.ts';
import { parseAddress } from '../ipam/address.ts';
import { DATA_DIRECTORY } from '../ipam/configuration.ts';
import { foreign, LeaseError, messageOf, storeError } from '../ipam/lease-error.ts';
import { systemCode } from '../linux/errno.ts';
import type { Lease } from '../ipam/lease.ts';
import { listAttachments, listTaken } from '../ipam/leases.ts';
import { isReleased, type Moment, secondsLeft } from '../ipam/quarantine.ts';
import { type Store, storeOf } from '../ipam/store.ts';
import { bootId } from '../linux/boot-id.ts';
import { note } from '../linux/standard-error.ts';
import { uptime } from '../linux/uptime.ts';
import { UsageError } from './command.ts';

/** The options that say which leases are meant. */
export const storeOptions = {
	network: { type: 'string', value: 'NAME', about: 'the network; by default all of the data directory' },
	'data-dir': {
		type: 'string',
		value: 'DIR',
		about: `where the leases are, ipam.dataDir; ${DATA_DIRECTORY} by default`,
	},
} as const;

export interface StoreValues {
	readonly network: string | undefined;
	readonly 'data-dir': string | undefined;
}

/** The store of a network that was named. Throws UsageError when the name is none. */
export function storeOfNetwork(network: string, dataDirectory: string | undefined): Store {
	if (!isIdentifier(network)) throw new UsageError(`"${network}" is not the name of a network; set --network`);
	return storeOf(resolve(dataDirectory ?? DATA_DIRECTORY), network);
}

/** A lease that keeps its address from others. */
export interface Holding {
	readonly store: Store;
	readonly lease: Lease;
	/** For how long its address is in quarantine, and nobody's; 0 for one that is held. */
	readonly quarantineSeconds: number;
}

/** What stores hold, and what in them is none of it. */
export interface Holdings {
	readonly holdings: readonly Holding[];
	readonly problems: readonly LeaseError[];
}

/** Lists all leases that are meant, by network and address. Throws LeaseError when a directory cannot be read. */
export function listHoldings(values: StoreValues): Holdings {
	const { stores, problems } = listStores(values);
	const listed = stores.map((store) => ({ store, ...takenIn(store) }));
	const now = { bootId: bootId(), uptime: uptime() };
	return {
		holdings: listed.flatMap(({ store, leases }) => leases.flatMap((lease) => holding(store, lease, now))),
		problems: [...problems, ...listed.flatMap((each) => each.problems)],
	};
}

/** Nothing for a lease whose quarantine is over: who needs the address has it. */
function holding(store: Store, lease: Lease, now: Moment): Holding[] {
	if (!isReleased(lease)) return [{ store, lease, quarantineSeconds: 0 }];
	const quarantineSeconds = Math.ceil(secondsLeft(lease, now));
	return quarantineSeconds === 0 ? [] : [{ store, lease, quarantineSeconds }];
}

interface Leases {
	readonly leases: readonly Lease[];
	readonly problems: readonly LeaseError[];
}

/** Lists the leases of one network that are held, by address. Throws LeaseError when a directory cannot be read. */
export function holdingsOf(store: Store): Leases {
	const { leases, problems } = takenIn(store);
	return { leases: leases.filter((lease) => !isReleased(lease)), problems };
}

function takenIn(store: Store): Leases {
	try {
		const { found, problems } = listTaken(store);
		// Some of the same files, by their other names: what is wrong with one is told once.
		const others = listAttachments(store).problems;
		return { leases: found.toSorted(byAddress), problems: [...problems, ...others] };
	} catch (error) {
		if (error instanceof LeaseError && error.code === 'foreign') return { leases: [], problems: [error] };
		throw error;
	}
}

function listStores({ network, 'data-dir': dataDirectory }: StoreValues): { stores: Store[]; problems: LeaseError[] } {
	if (network !== undefined) return { stores: [storeOfNetwork(network, dataDirectory)], problems: [] };
	const directory = resolve(dataDirectory ?? DATA_DIRECTORY);
	try {
		const entries = readdirSync(directory, { withFileTypes: true }).toSorted((one, other) =>
			one.name < other.name ? -1 : 1,
		);
		const isStore = (entry: (typeof entries)[number]) => entry.isDirectory() && isIdentifier(entry.name);
		return {
			stores: entries.filter(isStore).map(({ name }) => storeOf(directory, name)),
			problems: entries
				.filter((entry) => !isStore(entry))
				.map(({ name }) => foreign(`${directory}/${name}`, 'not the directory of a network')),
		};
	} catch (error) {
		// Before the first ADD it is not there.
		if (systemCode(error) === 'ENOENT' && dataDirectory === undefined) return { stores: [], problems: [] };
		throw storeError('listing', directory, error);
	}
}

function byAddress({ address: one }: Lease, { address: other }: Lease): number {
	const [a, b] = [parseAddress(one), parseAddress(other)];
	if (a === undefined || b === undefined || a.family !== b.family) return (a?.family ?? 0) - (b?.family ?? 0);
	return a.value < b.value ? -1 : 1;
}

/** Tells problems on stderr, and gives the exit status. */
export function report(problems: readonly unknown[]): number {
	for (const problem of problems) {
		for (const error of problem instanceof AggregateError ? problem.errors : [problem]) note(messageOf(error));
	}
	return problems.length === 0 ? 0 : 1;
}
