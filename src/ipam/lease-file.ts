// The file of one lease: how it is opened, locked, read and written.
//
// A lease is one inode with two names: attachments/<container id>@<interface>@<n>, then addresses/<address>.
//   1. Whoever makes or removes a name of an inode, or writes to it, holds its flock.
//   2. The name under attachments/ is made first and removed last; of an attachment's leases, n = 0 is made first and
//      removed last, too. So whoever finds n = 0 and takes its flock finds everything that the attachment has.
//   3. The content is complete before the name under addresses/ exists.
// An address has at most one holder: link(2) makes a name only where there is none, and the one who removes it has
// seen, with the flock held, that it is the inode which by 1 nobody else may unlink. Nobody waits for the dead, since
// the kernel frees their flocks; what they left is a prefix of the above, and the next DEL or ADD of the attachment
// removes it: the name under addresses/ if it is the same inode, then the one under attachments/.
// An inode can lose its name between open and flock: after the flock the name is looked at again.
// docs/lease-store.md has every state, every transition, and the proofs.

import { type FileStatus, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } from '../linux/files.ts';
import { type Attachment, describe } from '../cni/request.ts';
import { foreign, LeaseError, storeError } from './lease-error.ts';
import { systemCode } from '../linux/errno.ts';
import { decodeLease, encodeAddressRegion, encodeLease, type Lease, LONGEST_LEASE } from './lease.ts';
import { isOwnFile, kindOf, look, type Store } from './store.ts';

/** An open lease file. */
export interface LeaseFile {
	readonly path: string;
	readonly descriptor: number;
	/** Device and inode number. */
	readonly device: number;
	readonly inode: number;
	/** Whether this process has made it: then nobody was told of its address yet. */
	readonly isNew: boolean;
}

const CREATE = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW;
const READ = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;

/**
 * Makes the file of a lease and locks it. Undefined: it exists. Waits until `deadline` (ms of performance.now()) for one
 * who looks at the new file in that instant. Throws LeaseError.
 */
export function createLocked(store: Store, path: string, who: Attachment, deadline: number): LeaseFile | undefined {
	for (;;) {
		let descriptor: number;
		try {
			descriptor = store.system.openFile(path, CREATE, 0o600);
		} catch (error) {
			if (systemCode(error) === 'EEXIST') return undefined;
			throw storeError('making the lease', path, error);
		}
		const file = lockedAt(store, path, descriptor, who, deadline);
		if (file !== undefined) return { ...file, isNew: true };
	}
}

/**
 * Opens the file of a lease and locks it, waiting until `deadline` for another process that has it. Undefined: there is
 * none. Throws LeaseError: `busy`, `foreign`, or the error of the file system.
 */
export function openLocked(store: Store, path: string, who: Attachment, deadline: number): LeaseFile | undefined {
	for (;;) {
		const held = store.system.held.get(path);
		if (held !== undefined && isAt(store, held, path)) return held;
		const descriptor = openExisting(store, path);
		if (descriptor === undefined) return undefined;
		const file = lockedAt(store, path, descriptor, who, deadline);
		if (file !== undefined) return file;
	}
}

function openExisting(store: Store, path: string): number | undefined {
	const found = look(store, path);
	if (found === undefined) return undefined;
	if (!isOwnFile(found)) throw foreign(path, kindOf(found));
	try {
		return store.system.openFile(path, READ);
	} catch (error) {
		if (systemCode(error) === 'ENOENT') return undefined;
		throw storeError('opening the lease', path, error);
	}
}

/** Undefined: the file was removed before the lock was there. */
function lockedAt(
	store: Store,
	path: string,
	descriptor: number,
	who: Attachment,
	deadline: number,
): LeaseFile | undefined {
	const { system } = store;
	let kept = false;
	try {
		const { device, inode } = system.statusOf(descriptor);
		if (!system.lock(descriptor, deadline)) {
			throw new LeaseError(
				'busy',
				`locking "${path}": another call for ${describe(who)} is running, try again when it is over`,
			);
		}
		const file = { path, descriptor, device, inode, isNew: false };
		kept = isAt(store, file, path);
		return kept ? file : undefined;
	} finally {
		if (!kept) system.closeFile(descriptor);
	}
}

/** Whether a path is a name of the file. */
export function isAt(store: Store, file: Pick<LeaseFile, 'device' | 'inode'>, path: string): boolean {
	const found = look(store, path);
	return found !== undefined && found.inode === file.inode && found.device === file.device;
}

/** Keeps the lock until the process ends, so that a DEL that comes during the ADD waits for its end. */
export function keepLocked(store: Store, file: LeaseFile): void {
	store.system.held.set(file.path, file);
}

/** Gives the lock back, unless it is to be kept. */
export function closeLease(store: Store, file: LeaseFile): void {
	if (store.system.held.get(file.path) !== file) store.system.closeFile(file.descriptor);
}

/** Removes the name under attachments/, the last one, and the lock with it. Throws LeaseError. */
export function removeLease(store: Store, file: LeaseFile): void {
	removeName(store, file.path);
	store.system.held.delete(file.path);
}

/** Removes a name; it may be gone. Throws LeaseError. */
export function removeName(store: Store, path: string): void {
	try {
		store.system.unlinkFile(path);
	} catch (error) {
		if (systemCode(error) !== 'ENOENT') throw storeError('removing the lease', path, error);
	}
}

/** Writes a lease into its file. Throws LeaseError. */
export function writeLease(store: Store, file: LeaseFile, lease: Lease): void {
	write(store, file, encodeLease(lease));
}

/** Writes another address into a lease, over the one before. Throws LeaseError. */
export function writeAddress(store: Store, file: LeaseFile, address: string): void {
	write(store, file, encodeAddressRegion(address));
}

function write(store: Store, { path, descriptor }: LeaseFile, text: string): void {
	const bytes = new TextEncoder().encode(text);
	try {
		const written = store.system.writeAt(descriptor, bytes, 0);
		// The kernel writes a part only when there is no room for the rest.
		if (written < bytes.length) throw Object.assign(new Error('short write'), { code: 'ENOSPC' });
	} catch (error) {
		throw storeError('writing the lease', path, error);
	}
}

/** For all leases: a search in a full half reads thousands. */
const room = new Uint8Array(LONGEST_LEASE);
const decoder = new TextDecoder();

/** Reads a lease. Undefined: it is not complete, as a crash of the machine leaves it, or no lease. Throws LeaseError. */
export function readLease(
	store: Store,
	{ path, descriptor }: Pick<LeaseFile, 'path' | 'descriptor'>,
): Lease | undefined {
	try {
		const length = store.system.readAt(descriptor, room, 0);
		return decodeLease(decoder.decode(room.subarray(0, length)));
	} catch (error) {
		throw storeError('reading the lease', path, error);
	}
}

/** What is at a path, seen without its lock. `lease` is undefined when it is none, or not complete. */
export interface Entry {
	readonly status: FileStatus;
	readonly lease: Lease | undefined;
}

/** Reads what is at a path without locking it. Throws LeaseError. */
export function peek(store: Store, path: string): Entry | undefined {
	const descriptor = openExisting(store, path);
	if (descriptor === undefined) return undefined;
	try {
		return { status: store.system.statusOf(descriptor), lease: readLease(store, { path, descriptor }) };
	} finally {
		store.system.closeFile(descriptor);
	}
}
