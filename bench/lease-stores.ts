// Stores full of leases, written in the formats of the plugins that are to find them there.

import { linkSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { encodeLease } from '../src/ipam/lease.ts';

/** An address and the id of the container that holds it, by its interface eth0. */
export interface Holding {
	readonly address: string;
	readonly containerId: string;
}

/** Writes the store of a network. */
export type Fill = (dataDirectory: string, network: string, holdings: readonly Holding[]) => void;

/** An hour: nobody is too young to be looked at when a range is full. */
const AGE_MS = 3_600_000;

/**
 * The fill of our store, as docs/lease-store.md describes it. All holders live: they have the network namespace at the
 * path, and this boot.
 */
export function ourStore(netns: string): Fill {
	return (dataDirectory, network, holdings) => {
		const { dev: device, ino: inode } = statSync(netns);
		const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
		const shared = { ifname: 'eth0', index: 0, network, netns, namespace: { device, inode }, bootId };
		const time = Date.now() - AGE_MS;
		const directory = `${dataDirectory}/${network}`;
		for (const part of ['attachments', 'addresses']) {
			mkdirSync(`${directory}/${part}`, { recursive: true, mode: 0o700 });
		}
		for (const holding of holdings) {
			const path = `${directory}/attachments/${holding.containerId}@eth0@0`;
			writeFileSync(path, encodeLease({ ...holding, ...shared, time }), { mode: 0o600 });
			linkSync(path, `${directory}/addresses/${holding.address}`);
		}
	};
}

/** The fill of host-local's, plugins/ipam/host-local/backend/disk/backend.go */
export const hostLocalStore: Fill = (dataDirectory, network, holdings) => {
	const directory = `${dataDirectory}/${network}`;
	mkdirSync(directory, { recursive: true });
	for (const { address, containerId } of holdings) {
		writeFileSync(`${directory}/${address}`, `${containerId}\r\neth0`, { mode: 0o600 });
	}
};
