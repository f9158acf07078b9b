// The file of an attachment's lease, before it has an address.

import { LeaseError } from './lease-error.ts';
import { describe } from '../cni/request.ts';
import { closeLease, createLocked, isAt, keepLocked, type LeaseFile, removeLease, writeLease } from './lease-file.ts';
import type { Lease } from './lease.ts';
import { isReleased } from './quarantine.ts';
import { type Condition, releaseAttachment } from './release.ts';
import { addressPath, attachmentPath, type Store } from './store.ts';

/**
 * Makes the lease of an attachment, without an address yet, and keeps it locked until this process ends. What a dead ADD
 * or an earlier boot left of the attachment is released first. Throws LeaseError `alreadyAttached` when it has a lease,
 * `busy` when another process worked on it until `deadline` (ms of performance.now()).
 */
export function claimAttachment(store: Store, lease: Lease, deadline: number): LeaseFile {
	const path = attachmentPath(store, lease, lease.index);
	for (;;) {
		const file = createLocked(store, path, lease, deadline);
		if (file === undefined) {
			const mayGo: Condition = (found, at) => isRemnant(store, lease, found, at);
			for (const gone of releaseAttachment(store, lease, deadline, mayGo, lease.index)) {
				store.note(`freed ${gone.address}: its holder, ${describe(gone)}, is of an earlier boot`);
			}
			continue;
		}
		try {
			writeLease(store, file, lease);
			keepLocked(store, file);
			return file;
		} catch (error) {
			removeLease(store, file);
			closeLease(store, file);
			throw error;
		}
	}
}

/** True: it holds no address, or belongs to an earlier boot. */
function isRemnant(store: Store, wanted: Lease, found: Lease | undefined, file: LeaseFile): true {
	if (
		found?.bootId === wanted.bootId &&
		found.address !== '' &&
		!isReleased(found) &&
		isAt(store, file, addressPath(store, found.address))
	) {
		throw new LeaseError(
			'alreadyAttached',
			`leasing an address for ${describe(wanted)}: it holds "${found.address}" already, detach it first`,
		);
	}
	return true;
}
