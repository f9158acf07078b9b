// What the commands share that move leases from host-local and to it.

import { readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { type Store, storeExists } from '../ipam/store.ts';
import { bootId } from '../linux/boot-id.ts';
import { CommandError } from './command.ts';
import { holdingsOf, storeOfNetwork, storeOptions, type StoreValues } from './lease-stores.ts';
import type { Boot } from './migration.ts';

export const migrationOptions = {
	...storeOptions,
	network: {
		type: 'string',
		value: 'NAME',
		about: "the network; by default the last part of host-local's directory",
	},
} as const;

export const fromOption = {
	type: 'string',
	value: 'DIR',
	required: true,
	about: "the network's directory of host-local, /var/lib/cni/networks/<network>",
} as const;

export const dryRunOption = { type: 'boolean', about: 'only say what would be done' } as const;

/** Until when to wait for host-local, in ms of performance.now(). It holds its lock for milliseconds. */
export function lockDeadline(): number {
	return performance.now() + 30_000;
}

/** Until when to wait for calls that work on an attachment, in ms of performance.now(). */
export function callDeadline(): number {
	return performance.now() + 5000;
}

/** The two places between which leases move. Throws UsageError. */
export function placesOf(place: string, values: StoreValues): { directory: string; store: Store } {
	const directory = resolve(place);
	return { directory, store: storeOfNetwork(values.network ?? basename(directory), values['data-dir']) };
}

/** The leases of a network that has been used. Throws CommandError when it has not. */
export function existingHoldings(store: Store, tried: string): ReturnType<typeof holdingsOf> {
	if (storeExists(store)) return holdingsOf(store);
	throw new CommandError(`${tried}: there are no leases in "${store.directory}", set --network or --data-dir`);
}

/** This boot of the machine. */
export function thisBoot(): Boot {
	const [, seconds] = /^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8')) ?? [];
	if (seconds === undefined)
		throw new CommandError('reading "/proc/stat": it does not say when the machine was started');
	return { id: bootId(), time: Number(seconds) * 1000 };
}
