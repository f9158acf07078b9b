// Frees addresses whose holders cannot be alive any more.

import { type Address, formatAddress, parseAddress } from './address.ts';
import { describe, foreign } from './lease-error.ts';
import { closeLease, type Entry, isAt, openLocked, peek, readLease, removeName } from './lease-file.ts';
import type { Lease } from './lease.ts';
import { listNames, releaseAttachment } from './release.ts';
import { addressPath, attachmentPath, type Store } from './store.ts';

/** Says why the holder of a lease cannot be alive, in words that follow its name; undefined when it may be. */
export type Obituary = (lease: Lease) => string | undefined;

/** Whose holders died with the machine's earlier boots. */
export function diedBefore(bootId: string): Obituary {
	return (lease) => (lease.bootId === bootId ? undefined : 'is of an earlier boot');
}

/**
 * Frees every address that `concerns` and whose holder is dead, and notes each. A lease that another process works on is
 * waited for until `deadline` (ms of performance.now()). Gives the errors of those that could not be freed or read.
 */
export function reclaim(
	store: Store,
	concerns: (address: Address) => boolean,
	died: Obituary,
	deadline: number,
): unknown[] {
	const failures: unknown[] = [];
	for (const name of listNames(store, store.addresses)) {
		const address = parseAddress(name);
		if (address === undefined || !concerns(address)) continue;
		try {
			reclaimAddress(store, address, died, deadline);
		} catch (error) {
			failures.push(error);
		}
	}
	return failures;
}

/** Frees one address if its holder is dead, with everything else that the holder has. Throws LeaseError. */
export function reclaimAddress(store: Store, address: Address, died: Obituary, deadline: number): void {
	const path = addressPath(store, formatAddress(address));
	const entry = peek(store, path);
	if (entry === undefined) return;
	const why = whyDead(entry, path, died);
	if (why === undefined) return;
	const { lease } = entry;
	const stillDead = (now: Lease | undefined): boolean => now === undefined || died(now) !== undefined;
	const released = lease === undefined ? [] : releaseAttachment(store, lease, deadline, stillDead);
	if (!removeOrphan(store, path, entry, died, deadline) && released.length === 0) return;
	const holder = lease === undefined ? 'its holder' : `its holder, ${describe(lease)},`;
	store.note(`freed ${formatAddress(address)}: ${holder} ${why}`);
}

function whyDead({ lease, status }: Entry, path: string, died: Obituary): string | undefined {
	if (lease !== undefined) return died(lease);
	if (status.size > 0) throw foreign(path, 'a file of another kind');
	// Content is complete before an address has it: a crash of the machine has emptied the file.
	return 'was lost in a crash of the machine';
}

/** Removes an entry that is there still, since a crash of the machine took the attachment's first one. */
function removeOrphan(store: Store, path: string, { lease, status }: Entry, died: Obituary, deadline: number): boolean {
	// Not for another lease, which would have to be waited for.
	if (!isAt(store, status, path)) return false;
	const file = openLocked(store, path, lease ?? { containerId: '', ifname: '' }, deadline);
	if (file === undefined) return false;
	try {
		const now = { lease: readLease(store, file), status: store.system.statusOf(file.descriptor) };
		if (whyDead(now, path, died) === undefined) return false;
		removeName(store, path);
		const other = now.lease && attachmentPath(store, now.lease, now.lease.index);
		if (other !== undefined && isAt(store, file, other)) removeName(store, other);
		return true;
	} finally {
		closeLease(store, file);
	}
}
