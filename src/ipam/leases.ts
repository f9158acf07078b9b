// What a store holds. Nothing is locked or changed.

import type { Attachment } from '../cni/request.ts';
import { foreign, LeaseError } from './lease-error.ts';
import { type Entry, peek } from './lease-file.ts';
import type { Lease } from './lease.ts';
import { isReleased } from './quarantine.ts';
import { listNames } from './release.ts';
import { type Store, storeExists } from './store.ts';

/** Some of what a store holds, and what is in its place but is none of it. */
export interface Listing<T> {
	readonly found: readonly T[];
	readonly problems: readonly LeaseError[];
}

/** Lists every lease of a network that somebody holds. Throws LeaseError when there is something else than a store. */
export function listLeases(store: Store): Listing<Lease> {
	const { found, problems } = listTaken(store);
	return { found: found.filter((lease) => !isReleased(lease)), problems };
}

/** The same with those that were released into a quarantine, even if that is over. */
export function listTaken(store: Store): Listing<Lease> {
	return list(store, store.addresses, (name, { lease }) => (lease?.address === name ? lease : undefined));
}

/** Lists the attachments, those without an address included: an ADD that died leaves such. Throws as {@link listLeases}. */
export function listAttachments(store: Store): Listing<Attachment> {
	const { found, problems } = list(store, store.attachments, (name, { lease }) => lease ?? attachmentOf(name));
	const distinct = new Map(
		found.map(({ containerId, ifname }) => [`${containerId}@${ifname}`, { containerId, ifname }]),
	);
	return { found: [...distinct.values()], problems };
}

/** What a name under attachments/ says; a container id that had to be cut stays so, which leads to the same name. */
function attachmentOf(name: string): Attachment | undefined {
	const [, containerId, ifname] = /^([\w.~-]+)@(.+)@\d+$/.exec(name) ?? [];
	return containerId === undefined || ifname === undefined ? undefined : { containerId, ifname };
}

function list<T>(store: Store, directory: string, read: (name: string, entry: Entry) => T | undefined): Listing<T> {
	const found: T[] = [];
	const problems: LeaseError[] = [];
	for (const name of storeExists(store) ? listNames(store, directory) : []) {
		const path = `${directory}/${name}`;
		try {
			const entry = peek(store, path);
			// It was released in this moment.
			if (entry === undefined) continue;
			const item = read(name, entry);
			if (item === undefined) throw foreign(path, 'a file of another kind');
			found.push(item);
		} catch (error) {
			if (!(error instanceof LeaseError)) throw error;
			problems.push(error);
		}
	}
	return { found, problems };
}
