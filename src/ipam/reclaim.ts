// Frees addresses whose holders cannot be alive any more.

import { type Address, formatAddress, parseAddress } from './address.ts';
import { foreign } from './lease-error.ts';
import { describe } from '../cni/request.ts';
import { closeLease, type Entry, isAt, openLocked, peek, readLease, removeName } from './lease-file.ts';
import type { Lease } from './lease.ts';
import type { Obituary } from './liveness.ts';
import { isReleased } from './quarantine.ts';
import { listNames, releaseAttachment } from './release.ts';
import { addressPath, attachmentPath, type Store } from './store.ts';

/** What became of the leases that were looked at. */
export interface Reclaimed {
	/** How many addresses were freed. */
	readonly freed: number;
	/** The leases that went into quarantine. */
	readonly quarantined: readonly Lease[];
	/** The errors of those that could not be freed or read. */
	readonly failures: readonly unknown[];
}

/**
 * Frees every address that `concerns` and whose holder is dead, and notes each. The second obituary is asked only when by
 * the first one nothing was freed, and so on; each lease is read once for all of them. A lease that another process works
 * on is waited for until `deadline` (ms of performance.now()). Releases `most` addresses at most. Throws LeaseError when the
 * store cannot be listed.
 */
export function reclaim(
	store: Store,
	concerns: (address: Address) => boolean,
	obituaries: readonly Obituary[],
	deadline: number,
	most = Infinity,
): Reclaimed {
	const entries = new Map<Address, Entry>();
	const quarantined: Lease[] = [];
	const failures: unknown[] = [];
	let freed = 0;
	const attempt = (step: () => void): void => {
		try {
			step();
		} catch (error) {
			failures.push(error);
		}
	};
	for (const name of listNames(store, store.addresses)) {
		const address = parseAddress(name);
		if (address === undefined || !concerns(address)) continue;
		attempt(() => {
			const entry = peekAddress(store, address);
			if (entry !== undefined) entries.set(address, entry);
		});
	}
	for (const died of obituaries) {
		for (const [address, entry] of entries) {
			if (freed + quarantined.length >= most) break;
			attempt(() => {
				const lease = reclaimEntry(store, address, entry, died, deadline);
				if (lease === 'freed') freed++;
				else if (lease !== undefined) quarantined.push(lease);
			});
		}
		if (freed > 0) break;
	}
	return { freed, quarantined, failures };
}

/** Frees one address if its holder is dead, with everything else that the holder has. Says whether. Throws LeaseError. */
export function reclaimAddress(store: Store, address: Address, died: Obituary, deadline: number): boolean {
	const entry = peekAddress(store, address);
	return entry !== undefined && reclaimEntry(store, address, entry, died, deadline) === 'freed';
}

function peekAddress(store: Store, address: Address): Entry | undefined {
	const path = addressPath(store, formatAddress(address));
	const entry = peek(store, path);
	if (entry !== undefined) assertLease(entry, path);
	return entry;
}

/** An empty file is a lease, too: content is complete before an address has it, but a crash of the machine may empty it. */
function assertLease({ lease, status }: Entry, path: string): void {
	if (lease === undefined && status.size > 0) throw foreign(path, 'a file of another kind');
}

/** Gives the lease if its address went into quarantine; undefined: nothing was done. */
function reclaimEntry(
	store: Store,
	address: Address,
	entry: Entry,
	died: Obituary,
	deadline: number,
): Lease | 'freed' | undefined {
	const { lease } = entry;
	const why = whyDead(lease, died);
	if (why === undefined) return undefined;
	const wasReleased = lease !== undefined && isReleased(lease);
	const stillDead = (now: Lease | undefined): boolean => whyDead(now, died) !== undefined;
	// The attachment may have another lease by now.
	const released = lease === undefined || wasReleased ? [] : releaseAttachment(store, lease, deadline, stillDead);
	if (!removeOrphan(store, address, entry, died, deadline) && released.length === 0) return undefined;
	const kept = released.find((each) => each.address === lease?.address && isReleased(each));
	const holder = lease === undefined ? 'its holder' : `its holder, ${describe(lease)},`;
	// Who has released it was told so.
	if (!wasReleased) store.note(`${kept ? 'quarantined' : 'freed'} ${formatAddress(address)}: ${holder} ${why}`);
	return kept ?? 'freed';
}

function whyDead(lease: Lease | undefined, died: Obituary): string | undefined {
	return lease === undefined ? 'was lost in a crash of the machine' : died(lease);
}

/** Removes an entry that is there still, since a crash of the machine took the attachment's first one. */
function removeOrphan(
	store: Store,
	address: Address,
	{ lease, status }: Entry,
	died: Obituary,
	deadline: number,
): boolean {
	const path = addressPath(store, formatAddress(address));
	// Not for another lease, which would have to be waited for.
	if (!isAt(store, status, path)) return false;
	const file = openLocked(store, path, lease ?? { containerId: '', ifname: '' }, deadline);
	if (file === undefined) return false;
	try {
		const now = { lease: readLease(store, file), status: store.system.statusOf(file.descriptor) };
		assertLease(now, path);
		if (whyDead(now.lease, died) === undefined) return false;
		removeName(store, path);
		// The other name of one that was released is the next DEL's, which finds those of a higher number by it.
		const other =
			now.lease && !isReleased(now.lease) ? attachmentPath(store, now.lease, now.lease.index) : undefined;
		if (other !== undefined && isAt(store, file, other)) removeName(store, other);
		return true;
	} finally {
		closeLease(store, file);
	}
}
