// Where the parts of a lease store lie.

import type { Attachment } from '../cni/request.ts';
import type { FileStatus } from '../linux/files.ts';
import { LONGEST_NAME, shortened } from '../linux/hash.ts';
import { note as noteOnStandardError } from '../linux/standard-error.ts';
import { foreign, LeaseError, storeError } from './lease-error.ts';
import { systemCode } from '../linux/errno.ts';
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

/** Permission bits: others than the owner may write; only what is their own, in a directory. */
const WRITABLE = 0o022;
const STICKY = 0o1000;

/** Who makes stores: root, but for tests. */
const USER = process.geteuid?.() ?? 0;

/** Makes the directories that are missing. Throws LeaseError when they cannot be, or are something else. */
export function createStore(store: Store): void {
	if (storeExists(store)) return;
	const { dataDirectory, directory, addresses, attachments, system } = store;
	makeDirectory(system, dataDirectory, true);
	refuseOpenDataDirectory(store);
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

/** Where others can put away what is in it, the leases of containers that live may have been. */
function refuseOpenDataDirectory(store: Store): void {
	const { dataDirectory, directory } = store;
	const mode = look(store, dataDirectory)?.mode ?? 0;
	if ((mode & WRITABLE) === 0 || (mode & STICKY) !== 0) return;
	throw new LeaseError(
		'foreign',
		`making the directory "${directory}": others can write to "${dataDirectory}" (mode ${mode.toString(8)}), chmod 755 it`,
	);
}

/**
 * Whether the directories are there; one that others could write to is closed to them, and noted. Throws LeaseError
 * `foreign` when one is a symbolic link, a file, or somebody else's.
 */
export function storeExists(store: Store): boolean {
	// The outer one first: who can write to that can change those in it.
	for (const path of [store.directory, store.attachments, store.addresses]) {
		const found = look(store, path);
		if (found === undefined) return false;
		if (found.kind !== 'directory' || found.owner !== USER) throw foreign(path, kindOf(found));
		if ((found.mode & WRITABLE) !== 0) closeToOthers(store, path, found);
	}
	return true;
}

function closeToOthers({ system, note }: Store, path: string, { mode }: FileStatus): void {
	try {
		system.makePrivate(path);
	} catch (error) {
		throw storeError('closing', path, error);
	}
	note(`closed "${path}", which others could write to (mode ${mode.toString(8)}): look whether they did`);
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

/** Whether a file is one that we can have made. */
export function isOwnFile({ kind, owner }: FileStatus): boolean {
	return kind === 'file' && owner === USER;
}

/** What a file is, for messages. */
export function kindOf({ kind, owner }: FileStatus): string {
	return owner === USER ? `a ${kind}` : `a ${kind} of user ${owner}`;
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
	return `${store.attachments}/${shortened(containerId, LONGEST_NAME)}@${ifname}@${index}`;
}
