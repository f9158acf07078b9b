// Where the parts of a lease store lie.

import type { Attachment } from '../cni/request.ts';
import type { FileStatus } from '../linux/files.ts';
import { hash64 } from '../linux/hash.ts';
import { note as noteOnStandardError } from '../linux/standard-error.ts';
import { foreign, storeError, systemCode } from './lease-error.ts';
import { kernel, type System } from './system.ts';

/** The leases of one network. */
export interface Store {
	readonly network: string;
	readonly dataDirectory: string;
	/** `<data directory>/<network>`, and the two directories in it. */
	readonly directory: string;
	/** One entry a leased address, named by its text. */
	readonly addresses: string;
	/** The same files again, named by who holds them. */
	readonly attachments: string;
	readonly system: System;
	/** Tells the operator what was done without being asked. */
	readonly note: (message: string) => void;
}

/** Describes the store of a network; touches nothing. */
export function storeOf(
	dataDirectory: string,
	network: string,
	{ system = kernel, note = noteOnStandardError }: Partial<Pick<Store, 'system' | 'note'>> = {},
): Store {
	const directory = `${dataDirectory}/${network}`;
	return {
		network,
		dataDirectory,
		directory,
		addresses: `${directory}/addresses`,
		attachments: `${directory}/attachments`,
		system,
		note,
	};
}

/** Makes the directories that are missing. Throws LeaseError when they cannot be, or are something else. */
export function createStore(store: Store): void {
	if (storeExists(store)) return;
	const { dataDirectory, directory, addresses, attachments, system } = store;
	makeDirectory(system, dataDirectory, true);
	for (const path of [directory, attachments, addresses]) makeDirectory(system, path, false);
	// What stood there already is perhaps no directory.
	storeExists(store);
}

function makeDirectory(system: System, path: string, recursive: boolean): void {
	try {
		system.makeDirectory(path, { recursive });
	} catch (error) {
		if (systemCode(error) !== 'EEXIST' || recursive) throw storeError('making the directory', path, error);
	}
}

/** Whether the directories are there. Throws LeaseError `foreign` when one is a symbolic link or a file. */
export function storeExists(store: Store): boolean {
	return [store.directory, store.attachments, store.addresses].every((path) => {
		const found = look(store, path);
		if (found !== undefined && found.kind !== 'directory') throw foreign(path, kindOf(found));
		return found !== undefined;
	});
}

/** What is at a path, without following it. Undefined: nothing is, or can be. Throws LeaseError. */
export function look(store: Store, path: string): FileStatus | undefined {
	try {
		return store.system.statusOf(path);
	} catch (error) {
		if (systemCode(error) === 'ENOTDIR' || systemCode(error) === 'ENAMETOOLONG') return undefined;
		throw storeError('looking at', path, error);
	}
}

/** What a file is, for messages. */
export function kindOf({ kind }: FileStatus): string {
	return `a ${kind}`;
}

/** The path of the entry of an address. */
export function addressPath(store: Store, address: string): string {
	return `${store.addresses}/${address}`;
}

/**
 * The path of the entry of an attachment's address number `index`. A container id that is too long for a file name is cut
 * and completed by its hash, after a character that no container id has; the content of the file decides.
 */
export function attachmentPath(store: Store, { containerId, ifname }: Attachment, index: number): string {
	const name = containerId.length <= 200 ? containerId : `${containerId.slice(0, 180)}~${hash64(containerId)}`;
	return `${store.attachments}/${name}@${ifname}@${index}`;
}
