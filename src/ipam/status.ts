// Whether an ADD could be served.

import { O_CREAT, O_NOFOLLOW, O_WRONLY } from '../linux/files.ts';
import { type Range, sizeOfRange } from './agent-subnet.ts';
import { countLeased, noAddressLeft, reclaimRange, type Terms } from './allocation.ts';
import { storeError } from './lease-error.ts';
import { createStore, type Store } from './store.ts';

const FLAGS = O_WRONLY | O_CREAT | O_NOFOLLOW;

/**
 * Checks that the store can be written and that every range has a free address, after leases of earlier boots are freed.
 * Throws LeaseError.
 */
export function assertReady(store: Store, ranges: readonly Range[], terms: Terms): void {
	createStore(store);
	writeProbe(store);
	for (const range of ranges) {
		if (countLeased(store, range) < sizeOfRange(range)) continue;
		reclaimRange(store, range, terms);
		if (countLeased(store, range) >= sizeOfRange(range)) throw noAddressLeft(store, range);
	}
}

/** Writes a file and removes it: what the permissions of a directory say is less than half of it. */
function writeProbe({ directory, system }: Store): void {
	const path = `${directory}/probe.${process.pid}`;
	try {
		const descriptor = system.openFile(path, FLAGS, 0o600);
		try {
			system.writeAt(descriptor, Buffer.from('probe'), 0);
		} finally {
			system.closeFile(descriptor);
			system.unlinkFile(path);
		}
	} catch (error) {
		throw storeError('writing', path, error);
	}
}
