// Whether an ADD could be served.

import { O_CREAT, O_NOFOLLOW, O_WRONLY } from '../linux/files.ts';
import { type Range, sizeOfRange } from './agent-subnet.ts';
import { countLeased, noAddressLeft, type Terms } from './allocation.ts';
import { openLast } from './last.ts';
import { storeError } from './lease-error.ts';
import { makeRoom } from './make-room.ts';
import { createStore, type Store } from './store.ts';

const FLAGS = O_WRONLY | O_CREAT | O_NOFOLLOW;

/**
 * Checks that the store can be written and that every range has a free address, after those of dead holders are freed.
 * Throws LeaseError.
 */
export function assertReady(store: Store, ranges: readonly Range[], terms: Terms): void {
	createStore(store);
	writeProbe(store);
	for (const [index, range] of ranges.entries()) {
		if (hasRoom(store, range)) continue;
		const last = openLast(store, index);
		try {
			makeRoom(store, last, range, terms);
		} finally {
			last.close();
		}
		if (!hasRoom(store, range)) throw noAddressLeft(store, range);
	}
}

function hasRoom(store: Store, range: Range): boolean {
	return countLeased(store, range) < sizeOfRange(range);
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
