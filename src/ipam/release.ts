// Releases what an attachment holds.

import { type Attachment, describe } from '../cni/request.ts';
import { foreign, storeError } from './lease-error.ts';
import { closeLease, isAt, type LeaseFile, openLocked, readLease, removeLease, removeName } from './lease-file.ts';
import type { Lease } from './lease.ts';
import { enterQuarantine, isReleased } from './quarantine.ts';
import { addressPath, attachmentPath, type Store } from './store.ts';

/** Whether a lease may go, asked with its lock held; `lease` is undefined when the file is not complete. */
export type Condition = (lease: Lease | undefined, file: LeaseFile) => boolean;

/**
 * Releases the leases of an attachment from number `index` on: all of them, or none when the first may not go. Waits until
 * `deadline` (ms of performance.now()) for another process that works on them. What is gone already is no error; after
 * an error the rest is still released. Gives the leases whose addresses are free now, or in quarantine: of these
 * `isReleased` holds. Throws LeaseError or AggregateError.
 */
export function releaseAttachment(
	store: Store,
	attachment: Attachment,
	deadline: number,
	mayGo: Condition = () => true,
	index = 0,
): Lease[] {
	const file = openLocked(store, attachmentPath(store, attachment, index), attachment, deadline);
	if (file === undefined) return [];
	try {
		const lease = readLease(store, file);
		if (
			lease !== undefined &&
			(lease.containerId !== attachment.containerId || lease.ifname !== attachment.ifname)
		) {
			throw foreign(file.path, `the lease of ${describe(lease)}`);
		}
		if (!mayGo(lease, file)) return [];

		const released: Lease[] = [];
		const failures: unknown[] = [];
		const attempt = (step: () => void): void => {
			try {
				step();
			} catch (error) {
				failures.push(error);
			}
		};
		attempt(() => released.push(...releaseAttachment(store, attachment, deadline, undefined, index + 1)));
		for (const address of lease === undefined ? addressesOf(store, file) : [lease.address]) {
			attempt(() => released.push(...releaseAddress(store, file, address, lease)));
		}
		// The next DEL finds what is left only from here.
		if (failures.length > 0) throw failures.length === 1 ? failures[0] : new AggregateError(failures);
		removeLease(store, file);
		return released;
	} finally {
		closeLease(store, file);
	}
}

/** Removes the name of an address, if it is one of this file, unless that keeps it in quarantine. Gives what was released. */
function releaseAddress(store: Store, file: LeaseFile, address: string, lease: Lease | undefined): Lease[] {
	const path = addressPath(store, address);
	if (address === '' || (lease && isReleased(lease)) || !isAt(store, file, path)) return [];
	const kept = lease && enterQuarantine(store, file, lease);
	if (kept === undefined) removeName(store, path);
	return lease === undefined ? [] : [kept ?? lease];
}

/** Finds the addresses of a lease that does not say them. */
function addressesOf(store: Store, file: LeaseFile): string[] {
	if (store.system.statusOf(file.descriptor).links === 1) return [];
	return listNames(store, store.addresses).filter((address) => isAt(store, file, addressPath(store, address)));
}

/** The names in a directory of the store; none when there is no such directory. Throws LeaseError. */
export function listNames(store: Store, directory: string): string[] {
	try {
		return store.system.listDirectory(directory);
	} catch (error) {
		throw storeError('listing', directory, error);
	}
}
