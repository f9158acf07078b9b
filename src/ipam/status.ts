// Whether an ADD could be served.

import { O_CREAT, O_NOFOLLOW, O_WRONLY } from '../linux/files.ts';
import { countLeased, noAddressLeft, type Terms } from './allocation.ts';
import { openLast } from './last.ts';
import { storeError } from './lease-error.ts';
import { removeName } from './lease-file.ts';
import { makeRoom, type Search } from './make-room.ts';
import { watchQuarantine } from './quarantine.ts';
import { type RangeSet, sizeOfSet } from './range-set.ts';
import { createStore, type Store } from './store.ts';

const FLAGS = O_WRONLY | O_CREAT | O_NOFOLLOW;

/**
 * Checks that the store can be written and that every range set has a free address, after those of dead holders are freed.
 * Throws LeaseError.
 */
export function assertReady(store: Store, sets: readonly RangeSet[], terms: Terms): void {
	createStore(store);
	writeProbe(store);
	for (const [index, set] of sets.entries()) {
		if (hasRoom(store, set)) continue;
		const { waiting } = searchIn(store, index, set, terms);
		if (!hasRoom(store, set)) throw noAddressLeft(store, set, waiting);
	}
}

function searchIn(store: Store, index: number, set: RangeSet, terms: Terms): Search {
	const last = openLast(store, index);
	try {
		return makeRoom(store, last, set, terms, watchQuarantine(store));
	} finally {
		last.close();
	}
}

function hasRoom(store: Store, set: RangeSet): boolean {
	return countLeased(store, set) < sizeOfSet(set);
}

/**
 * Writes a file and removes it: what the permissions of a directory say is less than half of it. All calls write the same
 * one, so that not each that is killed leaves another.
 */
function writeProbe(store: Store): void {
	const { directory, system } = store;
	const path = `${directory}/probe`;
	try {
		const descriptor = system.openFile(path, FLAGS, 0o600);
		try {
			system.writeAt(descriptor, Buffer.from('probe'), 0);
		} finally {
			system.closeFile(descriptor);
			removeName(store, path);
		}
	} catch (error) {
		throw storeError('writing', path, error);
	}
}
